"""Speed and memory of training beside its peers: the same first weights, the same batches, the same maths.

A peer is a module that offers `build(workload, **options)`, which returns a `run` and how it runs, in words, and
`losses(workload, steps, **options)`, the total loss of the first steps on batches in order. `run(steps)` trains on
shuffled batches for at least `steps` and returns for how many. A peer whose launch is measured also offers
`launch(workload)`, which trains as a user would start it and returns once ten steps are done. The losses of a peer that
logs every step are the sums of the terms that it logged.
"""
