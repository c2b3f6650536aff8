"""The lab's Lambda: both ends of it, the load balancer's and the functions'.

A request from HAProxy becomes an event (`events`), the event an invocation of a function (`service`), which waits in
the function's pool (`pool`) for a sandbox (`sandbox`): one process that asks for its next event over the Runtime API
(`runtime_api`). What it answers becomes an HTTP response again (`responses`). Which functions there are, the program
learns from the control plane (`account`); what they print goes to a file and to CloudWatch Logs (`logs`).
"""
