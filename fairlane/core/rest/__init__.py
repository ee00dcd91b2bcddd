"""Django REST framework in terms of the kernel: callers, problems, throttles, pages."""
