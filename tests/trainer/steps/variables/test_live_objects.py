"""Living: objects are found by their own type, whatever a proxy claims to be."""

from trainer.steps.variables.live_objects import live_objects


class Layer:
    pass


class Dense(Layer):
    pass


class Proxy:
    """Claims to be a layer, as weak references do."""

    def __init__(self):
        self.asked = False

    @property
    def __class__(self):
        self.asked = True
        return Layer


def test_objects_of_a_kind_are_found_and_proxies_are_not_asked():
    one, other, proxy = Layer(), Dense(), Proxy()
    proxy.asked = False
    found = live_objects(Layer)
    assert {id(thing) for thing in found} == {id(one), id(other)}
    assert not proxy.asked
