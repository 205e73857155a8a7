"""Small machines given as tables of states."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from veriloop.assistant.training.boolean import cover, sum_of_products
from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@dataclass(frozen=True)
class _Table:
    """A machine: where each state goes for each input, and what it shows."""

    names: list[str]
    goes: list[list[int]]
    shows: list[list[int]]

    @property
    def bits(self) -> int:
        return (len(self.names) - 1).bit_length()

    def arrows(self, *, outputs: bool, out: str = "z") -> str:
        """The table in words."""
        rows = []
        for name, goes, shows in zip(self.names, self.goes, self.shows, strict=True):
            arcs = [
                f"on {k} to `{self.names[to]}`" + (f" with `{out}` {shows[k]}" if outputs else "")
                for k, to in enumerate(goes)
            ]
            rows.append(f"`{name}`: {', '.join(arcs)}" + ("" if outputs else f"; `{out}` is {shows[0]}"))
        return ". ".join(rows)


def _reaches_all(goes: list[list[int]]) -> bool:
    """Whether every state comes after every other one, sooner or later."""

    def after(start: int) -> set[int]:
        seen, todo = {start}, [start]
        while todo:
            for to in goes[todo.pop()]:
                if to not in seen:
                    seen.add(to)
                    todo.append(to)
        return seen

    return all(len(after(k)) == len(goes) for k in range(len(goes)))


def _differ(goes: list[list[int]], shows: list[list[int]]) -> bool:
    """Whether no two states do the same for ever."""
    kinds: list[object] = [tuple(row) for row in shows]
    for _ in goes:
        kinds = [(kinds[k], *(kinds[to] for to in row)) for k, row in enumerate(goes)]
        ranks = {kind: number for number, kind in enumerate(dict.fromkeys(kinds))}
        kinds = [ranks[kind] for kind in kinds]
    return len(set(kinds)) == len(goes)


def _draw(r: Random, count: int, inputs: int, values: int, *, moore: bool) -> _Table:
    names = r.choice(
        (
            [f"S{k}" for k in range(count)],
            ["A", "B", "C", "D", "E", "F"][:count],
            ["ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE"][:count],
            ["P", "Q", "R", "S", "T", "U"][:count],
        )
    )
    while True:
        goes = [[r.randrange(count) for _ in range(inputs)] for _ in range(count)]
        if moore:
            shows = [[r.randrange(values)] * inputs for _ in range(count)]
        else:
            shows = [[int(r.random() < 0.35) * r.randrange(1, values) for _ in range(inputs)] for _ in range(count)]
        if all(len(set(row)) > 1 for row in goes) and _reaches_all(goes) and _differ(goes, shows):
            return _Table(names, goes, shows)


def _constants(names: list[str], codes: list[int], bits: int) -> str:
    return "\n".join(
        f"  localparam logic [{bits - 1}:0] {name} = {bits}'d{code};" for name, code in zip(names, codes, strict=True)
    )


@family(variants=4)
def moore_machine(r: Random, variant: int) -> Draft:
    """A machine with one input, whose output belongs to the state."""
    count, out_bits = r.choice((3, 4, 4, 5, 6)), r.choice((1, 1, 2))
    table = _draw(r, count, 2, 1 << out_bits, moore=True)
    bits, names = table.bits, table.names
    gated = r.random() < 0.35
    states = ", ".join(names)
    quoted = ", ".join(f"`{name}`" for name in names)

    def arcs(target: str, how: str) -> str:
        return "\n".join(
            f"      {name}: {target} {how} x ? {names[goes[1]]} : {names[goes[0]]};"
            for name, goes in zip(names, table.goes, strict=True)
        )

    nested = "\n".join(
        f"        {name}: begin\n          if (x) state <= {names[goes[1]]};\n"
        f"          else state <= {names[goes[0]]};\n        end"
        for name, goes in zip(names, table.goes, strict=True)
    )
    shown = "\n".join(
        f"      {name}: z = {out_bits}'d{shows[0]};" for name, shows in zip(names, table.shows, strict=True)
    )
    never = "1'b0"
    lit = [
        " || ".join(f"state == {name}" for name, shows in zip(names, table.shows, strict=True) if shows[0] >> k & 1)
        for k in range(out_bits)
    ]
    compared = "\n".join(
        f"  assign z{f'[{k}]' if out_bits > 1 else ''} = {f'({text})' if text else never};"
        for k, text in enumerate(lit)
    )
    two = f"""
  typedef enum logic [{bits - 1}:0] {{{states}}} state_t;
  state_t state, state_next;

  always_comb begin
    case (state)
{arcs("state_next", "=")}
      default: state_next = {names[0]};
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) state <= {names[0]};
    else {"if (step) " if gated else ""}state <= state_next;
  end

{compared}
"""
    one = f"""
{_constants(names, list(range(count)), bits)}
  logic [{bits - 1}:0] state;

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= {names[0]};
    end else {"if (step) " if gated else ""}begin
      case (state)
{nested}
        default: state <= {names[0]};
      endcase
    end
  end

  // the output looks at the state only
  always_comb begin
    case (state)
{shown}
      default: z = '0;
    endcase
  end
"""

    def into(target: int) -> str:
        terms = []
        for k, goes in enumerate(table.goes):
            hits = [value for value in (0, 1) if goes[value] == target]
            if hits:
                terms.append(f"(hot[{k}] & {'x' if hits[0] else '~x'})" if len(hits) == 1 else f"hot[{k}]")
        return " | ".join(terms)

    hot_next = "\n".join(f"  assign hot_next[{k}] = {into(k)};" for k in range(count))
    hot_out = "\n".join(
        f"  assign z{f'[{b}]' if out_bits > 1 else ''} = "
        + (" | ".join(f"hot[{k}]" for k in range(count) if table.shows[k][0] >> b & 1) or "1'b0")
        + ";"
        for b in range(out_bits)
    )
    one_hot = f"""
  logic [{count - 1}:0] hot, hot_next; // one flip-flop for each of {states}

{hot_next}

  always_ff @(posedge clk) begin
    if (rst) hot <= {count}'d1;
    else {"if (step) " if gated else ""}hot <= hot_next;
  end

{hot_out}
"""
    next_words = ", ".join(f"{bits}'d{table.goes[k][x]}" for k in reversed(range(count)) for x in (1, 0))
    show_words = ", ".join(f"{out_bits}'d{table.shows[k][0]}" for k in reversed(range(count)))
    looked_up = f"""
  // for each state, the highest first, where it goes on 1 and on 0
  localparam logic [{2 * count * bits - 1}:0] NEXT = {{{next_words}}};
  localparam logic [{count * out_bits - 1}:0] SHOWN = {{{show_words}}};
  logic [{bits - 1}:0] state; // {", ".join(f"{k} is {name}" for k, name in enumerate(names))}

  always_ff @(posedge clk) begin
    if (rst) state <= '0;
    else {"if (step) " if gated else ""}state <= NEXT[{{state, x}}*{bits} +: {bits}];
  end

  assign z = SHOWN[state*{out_bits} +: {out_bits}];
"""
    body = (two, one, one_hot, looked_up)[variant]

    def reset(s: State) -> None:
        s.state = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"z": table.shows[s.state][0]}
        if not gated or i.step:
            s.state = table.goes[s.state][i.x]
        return out

    when = "with `step` high, and stays where it is otherwise" if gated else "in every cycle"
    return Draft(
        rtl=f"""
module moore_machine (
  input logic clk,
  input logic rst,
  {"input logic step," if gated else ""}
  input logic x,
  output logic {f"[{out_bits - 1}:0] " if out_bits > 1 else ""}z
);
  {body}
endmodule
""",
        about=(
            f"""Moore machine with the states {quoted}; it starts in `{names[0]}` and
            moves by `x`, {when}. Where it goes and what it shows: {table.arrows(outputs=False)}.""",
            f"""Finite state machine, output by state. After reset it is in `{names[0]}`; it changes state {when}.
            Transitions on `x`: {table.arrows(outputs=False)}.""",
        ),
        model=Machine(reset, step),
        names=("moore_fsm", "fsm", "state_machine", "fsm_moore"),
        stimulus={"step": 0.75} if gated else {},
        cycles=160,
    )


@family(variants=4)
def mealy_machine(r: Random, variant: int) -> Draft:
    """A machine whose output looks at the input too, at once or a cycle later."""
    two_bits = r.random() < 0.3
    inputs = 4 if two_bits else 2
    count = r.choice((2, 3, 4)) if two_bits else r.choice((3, 4, 4, 5))
    table = _draw(r, count, inputs, 2, moore=False)
    bits, names = table.bits, table.names
    late = r.random() < 0.3
    out = "hit" if late else "z"
    states = ", ".join(names)
    quoted = ", ".join(f"`{name}`" for name in names)
    width = 2 if two_bits else 1

    def one_state(k: int, target: str, how: str) -> str:
        if not two_bits:
            low, high = table.goes[k]
            arc = f"{target} {how} x ? {names[high]} : {names[low]};"
            ones = [value for value in (0, 1) if table.shows[k][value]]
            show = {(): "", (0,): "hit = ~x;", (1,): "hit = x;", (0, 1): "hit = 1'b1;"}[tuple(ones)]
            return f"{arc} {show}"
        arms = []
        for value, to in enumerate(table.goes[k]):
            label = f"2'b{value:02b}" if value < 3 else "default"
            show = " hit = 1'b1;" if table.shows[k][value] else ""
            arms.append(f"{label}: begin {target} {how} {names[to]};{show} end")
        return "case (x) " + " ".join(arms) + " endcase"

    arms = "\n".join(f"      {name}: begin {one_state(k, 'state_next', '=')} end" for k, name in enumerate(names))
    two = f"""
  typedef enum logic [{bits - 1}:0] {{{states}}} state_t;
  state_t state, state_next;

  always_ff @(posedge clk) begin
    if (rst) state <= {names[0]};
    else state <= state_next;
  end

  // next state and output of each state
  always_comb begin
    state_next = state;
    hit = 1'b0;
    case (state)
{arms}
      default: state_next = {names[0]};
    endcase
  end
"""

    def tested(value: int) -> str:
        return f"x == 2'b{value:02b}" if two_bits else ("x" if value else "!x")

    def chain(k: int) -> str:
        groups: dict[int, list[int]] = {}
        for value, to in enumerate(table.goes[k]):
            groups.setdefault(to, []).append(value)
        last = max(groups, key=lambda to: len(groups[to]))
        parts = [
            f"if ({' || '.join(tested(value) for value in values)}) state <= {names[to]};"
            for to, values in groups.items()
            if to != last
        ]
        tail = "" if last == k else f" else state <= {names[last]};"
        return " else ".join(parts) + tail

    lit = [
        f"(state == {names[k]} && {tested(value)})" if not two_bits else f"(state == {names[k]} && ({tested(value)}))"
        for k in range(count)
        for value in range(inputs)
        if table.shows[k][value]
    ]
    chains = "\n".join(f"        {name}: {chain(k)}" for k, name in enumerate(names))
    codes = list(range(count))
    if r.random() < 0.5:
        codes = [k ^ k >> 1 for k in codes]
    one = f"""
{_constants(names, codes, bits)}
  logic [{bits - 1}:0] state;

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= {names[0]};
    end else begin
      case (state)
{chains}
        default: state <= {names[0]};
      endcase
    end
  end

  assign hit = {" || ".join(lit)};
"""
    vector = [f"state[{k}]" for k in reversed(range(bits))] if bits > 1 else ["state[0]"]
    vector += ["x[1]", "x[0]"] if two_bits else ["x"]
    free = [k << width | value for k in range(count, 1 << bits) for value in range(inputs)]
    flat = {
        k << width | value: (table.goes[k][value], table.shows[k][value])
        for k in range(count)
        for value in range(inputs)
    }
    lines = "\n".join(
        f"  assign state_next[{b}] ="
        f" {sum_of_products(cover([at for at, (to, _) in flat.items() if to >> b & 1], bits + width, free), vector)};"
        for b in reversed(range(bits))
    )
    shown = sum_of_products(cover([at for at, (_, show) in flat.items() if show], bits + width, free), vector)
    gates = f"""
  logic [{bits - 1}:0] state, state_next; // {", ".join(f"{k} is {name}" for k, name in enumerate(names))}

  // from the table, with as few products as it takes
{lines}
  assign hit = {shown};

  always_ff @(posedge clk) begin
    if (rst) state <= '0;
    else state <= state_next;
  end
"""
    rows = "\n".join(
        f"      {bits + width}'b{at:0{bits + width}b}: {{state_next, hit}} = {{{bits}'d{to}, 1'b{show}}};"
        for at, (to, show) in flat.items()
    )
    rom = f"""
  logic [{bits - 1}:0] state, state_next; // {", ".join(f"{k} is {name}" for k, name in enumerate(names))}

  // the table, row by row: next state and output
  always_comb begin
    case ({{state, x}})
{rows}
      default: {{state_next, hit}} = {bits + 1}'d0;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) state <= '0;
    else state <= state_next;
  end
"""
    body = (two, one, gates, rom)[variant]
    if late:
        tail = """
  always_ff @(posedge clk) begin
    if (rst) z <= 1'b0;
    else z <= hit;
  end
"""
        body = f"  logic hit; // goes to the output a cycle later\n{body}{tail}"
    else:
        body = body.replace("hit", out)

    def reset(s: State) -> None:
        s.state = s.late = 0

    def step(s: State, i: Pins) -> Outputs:
        show = table.shows[s.state][i.x]
        seen = s.late if late else show
        s.late, s.state = show, table.goes[s.state][i.x]
        return {"z": seen}

    delay = "one cycle later, through a flip-flop that starts at 0" if late else "in the same cycle"
    said = "the value of `x`" if two_bits else "`x`"
    return Draft(
        rtl=f"""
module mealy_machine (
  input logic clk,
  input logic rst,
  input logic {"[1:0] " if two_bits else ""}x,
  output logic z
);
  {body}
endmodule
""",
        about=(
            f"""Mealy machine with the states {quoted}; reset puts it into `{names[0]}`. In each
            cycle {said} chooses an arc of the present state, which gives the next state and the output {delay}.
            {table.arrows(outputs=True)}.""",
            f"""State machine whose output depends on state and input; it starts in `{names[0]}`. By {said} the states
            go on as follows, where `z` appears {delay}. {table.arrows(outputs=True)}.""",
        ),
        model=Machine(reset, step),
        names=("mealy_fsm", "fsm_mealy", "fsm", "state_machine"),
        cycles=200,
    )


@family(variants=3)
def next_state_logic(r: Random, variant: int) -> Draft:
    """The gates of a machine without its flip-flops: the state comes in, the next one goes out."""
    count = r.choice((3, 4, 5, 6, 6))
    table = _draw(r, count, 2, 2, moore=r.random() < 0.7)
    bits, names = table.bits, table.names
    moore = all(len(set(row)) == 1 for row in table.shows)
    codes = r.choice((list(range(count)), [k ^ k >> 1 for k in range(count)], r.sample(range(1 << bits), count)))
    free_codes = [code for code in range(1 << bits) if code not in codes]
    free = [code << 1 | x for code in free_codes for x in (0, 1)]
    vector = [*(f"state[{k}]" for k in reversed(range(bits))), "x"]
    flat = {codes[k] << 1 | x: (codes[table.goes[k][x]], table.shows[k][x]) for k in range(count) for x in (0, 1)}
    lines = "\n".join(
        f"  assign state_next[{b}] ="
        f" {sum_of_products(cover([at for at, (to, _) in flat.items() if to >> b & 1], bits + 1, free), vector)};"
        for b in reversed(range(bits))
    )
    z_line = sum_of_products(cover([at for at, (_, show) in flat.items() if show], bits + 1, free), vector)

    def shown(k: int) -> str:
        low, high = table.shows[k]
        return {(0, 0): "1'b0", (0, 1): "x", (1, 0): "~x", (1, 1): "1'b1"}[low, high]

    arms = "\n".join(
        f"      {name}: begin\n        state_next = x ? {names[goes[1]]} : {names[goes[0]]};\n"
        f"        z = {shown(k)};\n      end"
        for k, (name, goes) in enumerate(zip(names, table.goes, strict=True))
    )
    ifs = "\n".join(
        f"    {'if' if k == 0 else 'else if'} (state == {name}) begin\n"
        f"      if (x) state_next = {names[goes[1]]};\n      else state_next = {names[goes[0]]};\n    end"
        for k, (name, goes) in enumerate(zip(names, table.goes, strict=True))
    )
    z_terms = [
        f"(state == {names[k]})"
        if table.shows[k] == [1, 1]
        else f"(state == {names[k]} && {'x' if table.shows[k][1] else '!x'})"
        for k in range(count)
        if any(table.shows[k])
    ]
    body = (
        f"""
{_constants(names, codes, bits)}

  always_comb begin
    case (state)
{arms}
      default: begin
        state_next = {names[0]};
        z = 1'b0;
      end
    endcase
  end
""",
        f"""
  // {", ".join(f"{name} is {bits}'b{code:0{bits}b}" for name, code in zip(names, codes, strict=True))}
{lines}
  assign z = {z_line};
""",
        f"""
{_constants(names, codes, bits)}

  always_comb begin
    state_next = {names[0]};
{ifs}
  end

  assign z = {" || ".join(z_terms)};
""",
    )[variant].replace("state_next", "following")

    def model(i: Pins) -> Outputs:
        if i.state not in codes:
            return {"following": None, "z": None}
        k = codes.index(i.state)
        return {"following": codes[table.goes[k][i.x]], "z": table.shows[k][i.x]}

    listing = ", ".join(f"`{name}` is {code:0{bits}b}" for name, code in zip(names, codes, strict=True))
    spare = " Other codes never come, and what comes out for them does not matter." if free_codes else ""
    return Draft(
        rtl=f"""
module next_state_logic (
  input logic [{bits - 1}:0] state,
  input logic x,
  output logic [{bits - 1}:0] following,
  output logic z
);
  {body}
endmodule
""",
        about=f"""Combinational part of a state machine; its register stands elsewhere. `state` is the present state,
            `following` the next one, for the input `x`, in this coding: {listing}. {table.arrows(outputs=not moore)}.{
            spare
        }""",
        model=model,
        names=("fsm_logic", "next_state", "transition_logic", "fsm_comb"),
    )


@family(variants=3)
def one_hot_transitions(r: Random, variant: int) -> Draft:
    """Next-state logic where each state has a bit of its own."""
    count = r.choice((4, 5, 6))
    table = _draw(r, count, 2, 2, moore=True)
    names = table.names
    guarded = r.random() < 0.4
    x = r.choice(("x", "go", "din"))

    def into(target: int, state: str) -> str:
        terms = []
        for k, goes in enumerate(table.goes):
            hits = [value for value in (0, 1) if goes[value] == target]
            if hits:
                name = f"{state}[{names[k] if variant == 2 else k}]"
                terms.append(f"({name} & {x if hits[0] else f'~{x}'})" if len(hits) == 1 else name)
        return " | ".join(terms)

    equations = "\n".join(f"  assign following[{k}] = {into(k, 'state')};" for k in range(count))
    named = "\n".join(f"    following[{names[k]}] = {into(k, 'state')};" for k in range(count))
    showing = [k for k in range(count) if table.shows[k][0]]
    moves = "\n".join(
        f"    if (state[{k}]) begin // {names[k]}\n"
        f"      if ({x}) following[{goes[1]}] = 1'b1;\n      else following[{goes[0]}] = 1'b1;\n    end"
        for k, goes in enumerate(table.goes)
    )
    places = "\n".join(f"  localparam int {name} = {k};" for k, name in enumerate(names))
    body = (
        f"""
  // {", ".join(f"bit {k} is {name}" for k, name in enumerate(names))}
{equations}
  assign z = {" | ".join(f"state[{k}]" for k in showing)};
""",
        f"""
  always_comb begin
    following = '0;
{moves}
  end

  assign z = |(state & {count}'b{sum(1 << k for k in showing):0{count}b});
""",
        f"""
{places}

  always_comb begin
{named}
  end

  assign z = {" | ".join(f"state[{names[k]}]" for k in showing)};
""",
    )[variant]
    if guarded:
        body += "\n  assign illegal = (state == 0) || ((state & (state - 1'b1)) != 0);\n"

    def model(i: Pins) -> Outputs:
        legal = i.state.bit_count() == 1
        value = getattr(i, x)
        k = i.state.bit_length() - 1
        out: dict[str, int | None] = {
            "following": 1 << table.goes[k][value] if legal else None,
            "z": table.shows[k][0] if legal else None,
        }
        if guarded:
            out["illegal"] = int(not legal)
        return out

    def states(r: Random) -> int:
        return r.getrandbits(count) if guarded and r.random() < 0.3 else 1 << r.randrange(count)

    listing = ", ".join(f"bit {k} is `{name}`" for k, name in enumerate(names))
    rest = (
        "`illegal` is high where not exactly one bit of `state` is set; the other outputs do not matter then."
        if guarded
        else "Exactly one bit of `state` is set."
    )
    return Draft(
        rtl=f"""
module one_hot_transitions (
  input logic [{count - 1}:0] state, // one hot
  input logic {x},
  output logic [{count - 1}:0] following,
  output logic z{"," if guarded else ""}
  {"output logic illegal" if guarded else ""}
);
  {body}
endmodule
""",
        about=f"""Next-state and output logic of a machine with one-hot states, without its register: {listing}.
            `following` has the bit of the next state set, by the input `{x}`. {table.arrows(outputs=False)}. {rest}""",
        model=model,
        names=("onehot_fsm_logic", "one_hot_next", "fsm_onehot", "onehot_step"),
        stimulus={"state": states},
        cycles=100,
    )


_TESTS = (("start", "ready", "limit"), ("go", "full", "last"), ("req", "done_in", "error"), ("key", "door", "timeout"))
_ACTS = (("load", "shift", "done"), ("clear", "step", "busy"), ("open", "lock", "lamp"), ("fetch", "write_en", "ack"))


@family(variants=3)
def chart_controller(r: Random, variant: int) -> Draft:
    """A controller drawn as a chart: each state acts, looks at one input, and chooses between two others."""
    count = r.choice((4, 5, 6))
    tests, acts = r.choice(_TESTS), r.choice(_ACTS)
    bits = (count - 1).bit_length()
    while True:
        looks = [r.choice((0, 1, 2, 0, 1, 2, None)) for _ in range(count)]
        looks[0] = 0
        goes = [[0, 1] if k == 0 else [r.randrange(count), r.randrange(count)] for k in range(count)]
        goes = [pair if look is not None else [pair[0]] * 2 for pair, look in zip(goes, looks, strict=True)]
        always = [0 if k == 0 else r.choice((0, 1, 2, 4, 1, 2, 4, 3)) for k in range(count)]
        # an action on one way only, of one state
        special = r.choice([k for k in range(count) if looks[k] is not None])
        taken, extra = r.randrange(2), 1 << r.randrange(3)
        used = extra
        for one in always:
            used |= one
        if (
            set(looks) >= {0, 1, 2}
            and used == 7
            and not always[special] & extra
            and all(a != b for (a, b), look in zip(goes, looks, strict=True) if look is not None)
            and all(k not in pair for k, (pair, look) in enumerate(zip(goes, looks, strict=True)) if look is None)
            and _reaches_all(goes)
        ):
            break
    names = ["IDLE", *(f"STEP_{k}" for k in range(1, count))]
    states = ", ".join(names)

    def sets(mask: int) -> str:
        return " ".join(f"{act} = 1'b1;" for b, act in enumerate(acts) if mask >> b & 1)

    def looked(k: int) -> str:
        return tests[looks[k] or 0]

    def arm(k: int) -> str:
        lines = [sets(always[k])] if always[k] else []
        if looks[k] is None:
            lines.append(f"state_next = {names[goes[k][0]]};")
        else:
            ways = [
                f"begin state_next = {names[goes[k][way]]}; {sets(extra) if k == special and way == taken else ''} end"
                for way in (0, 1)
            ]
            lines.append(f"if ({looked(k)}) {ways[1]} else {ways[0]}")
        return f"      {names[k]}: begin\n        " + "\n        ".join(lines) + "\n      end"

    arms = "\n".join(arm(k) for k in range(count))
    zeros = "\n".join(f"    {act} = 1'b0;" for act in acts)
    two = f"""
  typedef enum logic [{bits - 1}:0] {{{states}}} state_t;
  state_t state, state_next;

  always_ff @(posedge clk) begin
    if (rst) state <= IDLE;
    else state <= state_next;
  end

  // every output is low where a state says nothing else
  always_comb begin
    state_next = state;
{zeros}
    case (state)
{arms}
      default: state_next = IDLE;
    endcase
  end
"""

    def into(target: int) -> str:
        terms = []
        for k in range(count):
            hits = [way for way in (0, 1) if goes[k][way] == target]
            if looks[k] is None:
                if target in goes[k]:
                    terms.append(f"in_state[{k}]")
            elif hits:
                terms.append(f"(in_state[{k}] & {'' if hits[0] else '~'}{looked(k)})")
        return " | ".join(terms)

    condition = f"(in_state[{special}] & {'' if taken else '~'}{looked(special)})"
    acting = []
    for b, act in enumerate(acts):
        terms = [f"in_state[{k}]" for k in range(count) if always[k] >> b & 1]
        if extra >> b & 1:
            terms.append(condition)
        acting.append(f"  assign {act} = {' | '.join(terms)};")
    flow = "\n".join(f"      in_state[{k}] <= {into(k)};" for k in range(count))
    hot = f"""
  logic [{count - 1}:0] in_state; // one flip-flop a state: {states}

  // a state is entered by the ways that lead to it
  always_ff @(posedge clk) begin
    if (rst) begin
      in_state <= {count}'d1;
    end else begin
{flow}
    end
  end

{chr(10).join(acting)}
"""
    word = 2 + 2 * bits + 3 + 3
    rows = []
    for k in range(count):
        test = 3 if looks[k] is None else looks[k]
        on_one = extra if k == special and taken == 1 else 0
        on_zero = extra if k == special and taken == 0 else 0
        rows.append(
            f"      {bits}'d{k}: micro = {{2'd{test}, {bits}'d{goes[k][1]}, {bits}'d{goes[k][0]},"
            f" 3'b{always[k] | on_one:03b}, 3'b{always[k] | on_zero:03b}}}; // {names[k]}"
        )
    top = word - 3
    micro = f"""
  logic [{bits - 1}:0] state;
  logic [{word - 1}:0] micro;
  logic met;

  // one word a state: which input, next state if high, if low, outputs if high, if low
  always_comb begin
    case (state)
{chr(10).join(rows)}
      default: micro = '0;
    endcase
  end

  always_comb begin
    case (micro[{word - 1}:{word - 2}])
      2'd0: met = {tests[0]};
      2'd1: met = {tests[1]};
      2'd2: met = {tests[2]};
      default: met = 1'b0;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) state <= '0;
    else state <= met ? micro[{top}:{top - bits + 1}] : micro[{top - bits}:6];
  end

  assign {{{", ".join(reversed(acts))}}} = met ? micro[5:3] : micro[2:0];
"""
    body = (two, hot, micro)[variant]

    def reset(s: State) -> None:
        s.state = 0

    def step(s: State, i: Pins) -> Outputs:
        k = s.state
        look = looks[k]
        way = 0 if look is None else getattr(i, tests[look])
        mask = always[k] | (extra if k == special and way == taken else 0)
        s.state = goes[k][way]
        return {act: mask >> b & 1 for b, act in enumerate(acts)}

    def told(k: int) -> str:
        on = [f"`{act}`" for b, act in enumerate(acts) if always[k] >> b & 1]
        does = f"{' and '.join(on)} high, " if on else ""
        if looks[k] is None:
            return f"`{names[k]}`: {does}then `{names[goes[k][0]]}`"
        more = [
            f" (with `{acts[extra.bit_length() - 1]}` high too)" if k == special and way == taken else ""
            for way in (0, 1)
        ]
        return (
            f"`{names[k]}`: {does}to `{names[goes[k][1]]}` where `{looked(k)}` is high{more[1]}, else"
            f" {'stays' if goes[k][0] == k else f'to `{names[goes[k][0]]}`'}{more[0]}"
        ).replace(f"to `{names[k]}` where", "stays where")

    return Draft(
        rtl=f"""
module chart_controller (
  input logic clk,
  input logic rst,
  {chr(10).join(f"input logic {name}," for name in tests)}
  {chr(10).join(f"output logic {name}{',' if k < 2 else ''}" for k, name in enumerate(acts))}
);
  {body}
endmodule
""",
        about=f"""Controller after a chart. It starts in `IDLE` and goes one step in each cycle; outputs belong to the
            present state, follow at once and are low where nothing is said.
            {". ".join(told(k) for k in range(count))}.""",
        model=Machine(reset, step),
        names=("asm_controller", "control_fsm", "sequencer", "controller", "ctrl_fsm"),
        cycles=240,
    )
