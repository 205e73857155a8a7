'''Training data: designs that Veriloop generates itself, with specifications, reference models, testbenches and slips.

How to write a family in ten minutes
------------------------------------
A family is one function in a module of `families/` (the module is the kind). It draws parameters, writes RTL in the
canonical form, and says in Python what the RTL does:

    @family(variants=2)                                   # held_out=True keeps it out of training
    def event_counter(r: Random, variant: int) -> Draft:
        """Counts pulses until it is read."""
        width = r.choice((4, 8, 12))
        body = ("""...""", """...""")[variant]            # structurally different: one or two processes, case or
                                                          # ternary, shift or index, one adder or two
        def reset(s: State) -> None:
            s.count = 0

        def step(s: State, i: Pins) -> Outputs:           # outputs just before the edge, then the state moves on
            out = {"count": s.count}
            if i.pulse:
                s.count = (s.count + 1) % (1 << width)
            return out

        return Draft(rtl=f"""module event_counter ...""", about="...", model=Machine(reset, step))

For a combinational design the model is one function of the pins. An output that does not matter is `None`. The
variants of a family do the same thing; where timing differs (registered or not), `step` looks at `variant`.

The canonical form, which the styles rewrite (names, resets, language, constants, layout, comments):
- SystemVerilog with `logic`, `always_ff @(posedge clk)`, `always_comb`, ANSI ports, one a line, named connections.
- The clock is `clk`, the reset `rst`: synchronous, active high, the first condition of a clocked process, `if (rst)`.
  Several domains: `wr_clk` and `wr_rst`, `rd_clk` and `rd_rst`; `Draft.clocks` says in which cycles each ticks.
- `snake_case` nouns that `names.SYNONYMS` knows (`count`, `din`, `en`, `valid`, `ptr`); a next state is
  `x_next` beside `x`; parameters in capitals, `parameter int WIDTH = 8`; states in
  `typedef enum logic [1:0] {IDLE, RUN} state_t;`.
- Zero is `'0` or sized; casts, structs, `return`, `unique` and local variables of blocks are allowed, but such a text
  is never written as Verilog-2001, so use them where they are natural and not out of habit.
- A comment on its own line says what the block below it is for; one behind a line is about that line. Both become
  specification and may not stay in the text. Names of signals stand in backquotes there and in `about`.
- Layout does not matter; the printer makes it.

What makes a good one: something that engineers really build, with a purpose that its text and its names show, so that a
slip in it can be seen by one who understands it. Not random logic, nor the same counter under another name. Parameters
change more than widths: modes, polarities, limits, orders. `stimulus` and `drive` see to it that every branch is taken.

    veriloop train data --check --families event_counter --seeds 10
'''
