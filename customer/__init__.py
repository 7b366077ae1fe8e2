"""The customer's front: enrolment endpoint (EST), confirmation and portal."""
