"""What inference costs: an encoder after each of several arms, measured in fresh processes on a target's own texts.

`backends` says how a model is made to run, `process` what one process measures, `rounds` starts the processes in random
order and gathers what they say. What is measured is a `xt.measurement.EfficiencyConfig`.
"""
