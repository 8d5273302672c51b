"""`python -m carecast` is the carecast command."""

from carecast.cli.main import app

if __name__ == "__main__":
    app(prog_name="carecast")
