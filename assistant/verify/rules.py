"""What lint rules are about, in a line each: Verilator's, and slang's where they are its own."""

from __future__ import annotations

RULES: dict[str, str] = {
    "ALWCOMBORDER": "A combinational process reads a variable before it assigns it: it keeps the last value.",
    "ASCRANGE": "A packed range counts upwards, [0:7]; most code and tools expect [7:0].",
    "ASSIGNDLY": "A delay on an assignment that a two-state, cycle-based simulation does not see.",
    "BLKANDNBLK": "A variable is assigned with both = and <=: which value a reader sees depends on the order.",
    "BLKSEQ": "= in a clocked process: another process that reads the variable races with it. Use <=.",
    "CASEINCOMPLETE": "A case without a default does not name every value: what happens for the others is open.",
    "CASEOVERLAP": "Two items of a case match the same value; the first one wins.",
    "CASEX": "casex treats unknown bits as matching, so that an X can choose a branch. Use casez or case inside.",
    "CMPCONST": "A comparison that is always true or always false by the widths of its sides.",
    "COMBDLY": "<= in a combinational process: readers see the old value until the next step. Use =.",
    "DECLFILENAME": "A file holds a module of another name, so that it is not found by its name.",
    "DEFPARAM": "defparam sets a parameter from elsewhere; set it at the instance, #(.NAME(value)).",
    "EOFNEWLINE": "A file does not end with a newline; the next file of a list joins its last line.",
    "GENUNNAMED": "A generate block without a name gets one from the tool, and paths into it differ between tools.",
    "IMPLICIT": "A name that is declared nowhere becomes a wire of one bit. Often a slip of the pen.",
    "IMPORTSTAR": "An import of a whole package outside of a module reaches everything that is compiled after it.",
    "INITIALDLY": "<= in an initial block takes effect after the block has gone on.",
    "LATCH": "A combinational process leaves a signal unassigned on some path: a latch. Assign a default first.",
    "MODMISSING": "A module is instantiated and defined nowhere in the files that were given.",
    "MULTIDRIVEN": "A signal is driven from several places: in hardware they fight, in simulation the last one wins.",
    "PINCONNECTEMPTY": "A port is connected to nothing on purpose: .port().",
    "PINMISSING": "An instance leaves a port out; an input then floats.",
    "PINNOTFOUND": "An instance connects a port that the module does not have.",
    "PROCASSINIT": "A variable has an initial value and is assigned in a process: after reset the two may differ.",
    "SELRANGE": "A select lies outside of the signal's range.",
    "SYMRSVDWORD": "A name is a keyword of C++ or SystemVerilog.",
    "SYNCASYNCNET": "A reset is used both synchronously and asynchronously.",
    "TIMESCALEMOD": "Some modules have a time scale and others take the one of the file before.",
    "UNDRIVEN": "A signal is read and never driven: it is X, or 0 in a two-state simulation.",
    "UNOPTFLAT": "A loop through combinational logic: slow to simulate, and real if no bit breaks it.",
    "UNSIGNED": "A comparison of an unsigned value with 0 that cannot be otherwise.",
    "UNUSEDPARAM": "A parameter that nothing reads.",
    "UNUSEDSIGNAL": "A signal, or bits of it, that nothing reads.",
    "VARHIDDEN": "A name hides one of the scope around it.",
    "WIDTHCONCAT": "A number without a width in a concatenation: it has 32 bits there.",
    "WIDTHEXPAND": "A value is narrower than where it goes, and is extended with zeros or by its sign.",
    "WIDTHTRUNC": "A value is wider than where it goes, and loses its upper bits.",
    "WIDTHXZEXPAND": "An X or Z is extended to the width of where it goes.",
    "IndexOOB": "An index lies outside of the array.",
    "UnusedButSetVariable": "A variable that is assigned and never read.",
    "CaseDefault": "A case without a default.",
}


def explained(rule: str) -> str:
    """What a rule is about; empty for one that is not known here."""
    return RULES.get(rule, "")
