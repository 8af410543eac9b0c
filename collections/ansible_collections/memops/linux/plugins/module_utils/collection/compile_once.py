# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Import the collector from Ansible's archive with one compilation for each file.

The import system's zipimport compiles a module twice, once to learn its file
name and once to run it (CPython 3.8 and newer; Lib/zipimport.py: get_filename,
get_code), and the archive holds no byte code. For some forty files that is a
third of what a host pays for a diagnosis.
"""

import sys
from importlib.machinery import ModuleSpec
from zipimport import zipimporter


def install(package, loader):
    """Use one compilation for what is imported below ``package`` from now on.

    loader: of the module that asks; where it is not an archive's, nothing changes.
    """
    if isinstance(loader, zipimporter):
        sys.meta_path.insert(0, _Importer(package + ".", loader))


class _Importer:
    """Finder and loader in one; what it does not know it leaves to the next finder."""

    def __init__(self, prefix, archive):
        self._prefix = prefix
        self._archive = archive

    def find_spec(self, name, path=None, target=None):
        if not name.startswith(self._prefix):
            return None
        for ending, is_package in ((".py", False), ("/__init__.py", True)):
            try:
                source = self._archive.get_data(name.replace(".", "/") + ending)
            except OSError:
                continue
            folder = "%s/%s" % (self._archive.archive, name.replace(".", "/"))
            spec = ModuleSpec(name, self, origin=folder + ending, loader_state=source, is_package=is_package)
            spec.has_location = True  # gives the module its __file__
            if is_package:
                spec.submodule_search_locations = [folder]
            return spec
        return None

    def create_module(self, spec):
        return None  # the default

    def exec_module(self, module):
        spec = module.__spec__
        exec(compile(spec.loader_state, spec.origin, "exec", dont_inherit=True), module.__dict__)  # as any loader does
        spec.loader_state = None
