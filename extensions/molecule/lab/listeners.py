"""Print each address that a program of the lab in $LOADLIFT_LAB listens on."""

import psutil
from loadlift_lab.lifecycle import connect
from loadlift_lab.settings import LabSettings

supervisor = psutil.Process(connect(LabSettings.load()).getPID())
for process in [supervisor, *supervisor.children(recursive=True)]:
    for connection in process.net_connections("inet"):
        if connection.status == psutil.CONN_LISTEN:
            print(f"{connection.laddr.ip}:{connection.laddr.port}")
