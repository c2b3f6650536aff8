"""The embedded AWS: moto in process, behind a thin WSGI layer that makes it strict, faulty on demand, and durable.

Run one by hand, from the checkout's folder:

    export LOADLIFT_LAB=/tmp/lab PYTHONPATH=roles/lab/files
    .venv/bin/python -c "from pathlib import Path; from loadlift_lab.settings import LabSettings as Lab; \
Lab(Path('/tmp/lab'), Path('/tmp/lab'), subnet='127.0.21').save()"
    .venv/bin/python -m loadlift_lab.control_plane

Then `AWS_ENDPOINT_URL=http://127.0.21.1:4566` with any long access key is an AWS account.

A request goes through `layer` (WSGI), which asks `call` what it is, `faults` whether it shall fail, `account` for the
answer, and `journal` to remember it. What AWS refuses and moto lets through is in `rules/`, what moto lacks or gets
wrong is in `mends/`: one file a service, each saying its source.
"""
