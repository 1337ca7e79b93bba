"""scripts/quickstart behind its build: chooses the tour, shows it, and cleans up."""

import argparse
import signal
import sys

from example_tour import ExampleTour, examples
from servers import Failure, Folder
from shop_tour import ShopTour
from tour import heading, line


def arguments():
    parser = argparse.ArgumentParser(prog="quickstart")
    parser.add_argument("--once", action="store_true", help="end after the tour")
    parser.add_argument("--example", choices=examples(), help="one of the systems of examples/")
    return parser.parse_args()


def main():
    wanted = arguments()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(143))
    try:
        with Folder() as folder:
            tour = ExampleTour(folder, wanted.example) if wanted.example else ShopTour(folder)
            heading("Started, throw-away")
            line("Servers", f"PostgreSQL {tour.postgres.version()} and Redis {tour.redis.version()} in {folder.path}")
            tour.show()
            if sys.stdout.isatty() and not wanted.once:
                tour.stay()
            tour.session.close()
        print("\nStopped, and the folder is gone.")
    except KeyboardInterrupt:
        print("\nStopped, and the folder is gone.")
    except Failure as failure:
        print(f"quickstart: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
