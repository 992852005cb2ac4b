"""The simulator: the whole schedule in virtual time, on a scratch database, with learners who study."""
