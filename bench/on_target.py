"""Runs on the examined side, with the archive that ansible sends in front of sys.path: where does the CPU time go?

Prints {step: CPU seconds}. Python 3.6; started as ``python -I on_target.py ARCHIVE``.
"""

import base64
import json
import os
import resource
import sys
import time
import zlib


def cpu():
    """CPU seconds of this process and of its ended children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def main():
    sys.dont_write_bytecode = True
    sys.path.insert(0, sys.argv[1])
    started = cpu()
    import ansible.module_utils.basic  # noqa: F401

    basic = cpu()
    from ansible_collections.memops.linux.plugins.module_utils.collection import gather as gathering
    from ansible_collections.memops.linux.plugins.module_utils.collection.budget import fit
    from ansible_collections.memops.linux.plugins.module_utils.collection.reading import Reader

    steps = {"import of ansible's basic": basic - started, "import of the collector": cpu() - basic}
    now = time.time()
    for name, (section, budget) in gathering.SECTIONS.items():
        before = cpu()
        data = section.collect(Reader(), gathering.Request(now, now - 7 * 86400, budget, os.sysconf("SC_PAGE_SIZE")))
        fit(data, section.DROPPABLE, budget)
        text = json.dumps(data)
        steps[f"section {name}"] = cpu() - before
        steps[f"bytes {name}"] = len(text)
    before = cpu()
    document = gathering.gather(list(gathering.SECTIONS), 7 * 86400, {})
    gathered = cpu()
    packed = base64.b64encode(zlib.compress(document.encode(), 1))
    steps.update({"gather as a whole": gathered - before, "packing": cpu() - gathered, "bytes evidence": len(document), "bytes packed": len(packed)})
    print(json.dumps(steps))


main()
