"""One supervisor for the processes of a Procfile: started, watched, restarted, stopped together (`elp up`)."""

from worker.supervisor.procfile import Entry, read_procfile
from worker.supervisor.supervisor import NotHealthyError, Supervisor

__all__ = ["Entry", "NotHealthyError", "Supervisor", "read_procfile"]
