"""Who may use what is shared, where turns alone are not enough: locks, weights, slots, ages and chance."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Choice, Draft, Machine, Outputs, Pins, State, family


def _sparse(bits: int) -> Choice:
    """Requests of which about half are there."""
    return lambda r: r.getrandbits(bits)


@family(variants=3)
def locked_priority_arbiter(r: Random, variant: int) -> Draft:
    """Fixed priorities, and an owner that may keep the bus over several transfers."""
    count = r.choice((3, 4, 5))
    bits = (count - 1).bit_length()
    order = r.choice((list(range(count)), list(range(count))[::-1], r.sample(range(count), count)))
    limit = r.choice((0, 0, 4, 6))
    tbits = limit.bit_length()

    def hot(k: int) -> str:
        return f"{count}'b{1 << k:0{count}b}"

    chain = "\n".join(f"    {'if' if n == 0 else 'else if'} (req[{k}]) choice = {hot(k)};" for n, k in enumerate(order))
    timer = f"\n  logic [{tbits - 1}:0] timer;" if limit else ""
    over = " && (timer != LIMIT)" if limit else ""
    run = (
        """
  // how long the lock has lasted
  always_ff @(posedge clk) begin
    if (rst) timer <= '0;
    else if (locked) timer <= timer + 1'b1;
    else timer <= 1;
  end
"""
        if limit
        else ""
    )
    flags = f"""
  logic [N-1:0] owner, choice;{timer}

  // who would win without a lock
  always_comb begin
    choice = '0;
{chain}
  end

  assign grant = locked ? (req & owner) : choice;

  always_ff @(posedge clk) begin
    if (rst) begin
      locked <= 1'b0;
      owner <= '0;
    end else if (locked) begin
      locked <= (|(lock & owner)){over}; // the owner lets go by dropping its lock
    end else begin
      locked <= |(lock & choice);
      owner <= choice;
    end
  end
{run}"""
    places = "\n".join(f"      {bits}'d{n}: place = {bits}'d{k};" for n, k in enumerate(order))
    tick = "\n        timer <= 1;" if limit else ""
    tock = "\n        timer <= timer + 1'b1;" if limit else ""
    zero = "\n      timer <= '0;" if limit else ""
    searching = f"""
  logic [{bits - 1}:0] owner, winner;
  logic found;{timer}

  // requesters from the most to the least important
  function automatic logic [{bits - 1}:0] ranked(input logic [{bits - 1}:0] rank);
    logic [{bits - 1}:0] place;
    case (rank)
{places}
      default: place = '0;
    endcase
    ranked = place;
  endfunction

  always_comb begin
    winner = owner;
    found = 1'b0;
    if (locked) begin
      found = req[owner];
    end else begin
      for (int i = 0; i < N; i++) begin
        if (!found && req[ranked(i)]) begin
          winner = ranked(i);
          found = 1'b1;
        end
      end
    end
  end

  always_comb begin
    grant = '0;
    if (found) grant[winner] = 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      owner <= '0;
      locked <= 1'b0;{zero}
    end else begin
      if (locked) begin{tock}
        if (!lock[owner]{" || timer == LIMIT" if limit else ""}) locked <= 1'b0;
      end else if (found) begin{tick}
        owner <= winner;
        locked <= lock[winner];
      end
    end
  end
"""
    terms = []
    for n, k in enumerate(order):
        above = " | ".join(f"req[{one}]" for one in order[:n])
        terms.append(f"  assign first[{k}] = req[{k}]{f' & ~({above})' if above else ''};")
    machine = (
        """
  typedef enum logic {FREE, HELD} state_t;
  state_t state, state_next;
  logic [N-1:0] first, owner, owner_next;"""
        + (f"\n  logic [{tbits - 1}:0] timer, timer_next;" if limit else "")
        + "\n\n  // each one waits for those above it\n"
        + "\n".join(terms)
        + """

  assign locked = (state == HELD);

  always_comb begin
    state_next = state;
    owner_next = owner;"""
        + ("\n    timer_next = timer;" if limit else "")
        + """
    grant = '0;
    case (state)
      FREE: begin
        grant = first;
        owner_next = first;"""
        + ("\n        timer_next = 1;" if limit else "")
        + """
        if ((first & lock) != 0) state_next = HELD;
      end
      HELD: begin
        grant = owner & req; // nobody else, even while the owner is silent"""
        + ("\n        timer_next = timer + 1'b1;" if limit else "")
        + f"""
        if ((owner & lock) == 0{" || timer == LIMIT" if limit else ""}) state_next = FREE;
      end
      default: state_next = FREE;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= FREE;
      owner <= '0;{zero}
    end else begin
      state <= state_next;
      owner <= owner_next;{chr(10) + "      timer <= timer_next;" if limit else ""}
    end
  end
"""
    )
    body = (flags, searching, machine)[variant]

    def reset(s: State) -> None:
        s.owner, s.time = None, 0

    def step(s: State, i: Pins) -> Outputs:
        if s.owner is not None:
            out = {"grant": i.req & 1 << s.owner, "locked": 1}
            if not i.lock >> s.owner & 1 or (limit and s.time == limit):
                s.owner = None
            s.time += 1
            return out
        winner = next((k for k in order if i.req >> k & 1), None)
        if winner is None:
            return {"grant": 0, "locked": 0}
        if i.lock >> winner & 1:
            s.owner, s.time = winner, 1
        return {"grant": 1 << winner, "locked": 0}

    ranks = ", ".join(str(k) for k in order)
    parameters = f"parameter int N = {count}" + (f",\n  parameter int LIMIT = {limit}" if limit else "")
    broken = f" A lock ends in any case after {limit} cycles of `locked`." if limit else ""
    return Draft(
        rtl=f"""
module locked_priority_arbiter #(
  {parameters}
) (
  input logic clk,
  input logic rst,
  input logic [N-1:0] req,
  input logic [N-1:0] lock, // the winner wants to keep the bus after this cycle
  output logic [N-1:0] grant,
  output logic locked
);
{body}
endmodule
""",
        about=(
            f"""Fixed-priority arbiter with lock for {count} requesters, in the order {ranks} from the most important.
            `grant` answers `req` in the same cycle, one hot. A winner whose `lock` bit is high owns the bus from the
            next cycle on (`locked`): then only its own requests are granted, and nobody's while it makes none. The
            ownership ends after the first cycle in which its `lock` is low; that cycle is still its own.{broken}""",
            f"""Grants one of {count} requests by fixed priority ({ranks}, the most important first), combinationally.
            If the granted one has its bit in `lock` set, `locked` rises with the next cycle and from then on `grant` is
            the owner's request alone. A cycle with the owner's `lock` low is the last locked one.{broken}""",
        ),
        model=Machine(reset, step),
        names=("lock_arbiter", "fixed_arbiter", "bus_arbiter", "priority_arbiter_lock"),
        stimulus={"lock": lambda r: r.getrandbits(count) | r.getrandbits(count), "req": _sparse(count)},
        cycles=150,
    )


@family(variants=3)
def weighted_round_robin(r: Random, variant: int) -> Draft:
    """Turns of different lengths."""
    count = r.choice((3, 4))
    weights = [r.randrange(1, 6) for _ in range(count)]
    if len(set(weights)) == 1:
        weights[0] += 1
    bits, wide = (count - 1).bit_length(), 3
    arms = "\n".join(f"      {bits}'d{k}: weight = {wide}'d{w};" for k, w in enumerate(weights))
    table = f"""
  // what each one may have in a row
  always_comb begin
    case (turn)
{arms}
      default: weight = {wide}'d1;
    endcase
  end
"""
    searching = f"""
  logic [{bits - 1}:0] turn, winner;
  logic [{wide - 1}:0] used, weight;
  logic found, stay;
{table}
  assign stay = req[turn] && (used < weight);

  always_comb begin
    winner = turn;
    found = stay;
    for (int i = 1; i <= N; i++) begin
      if (!found && req[(turn + i) % N]) begin
        winner = (turn + i) % N;
        found = 1'b1;
      end
    end
    grant = '0;
    if (found) grant[winner] = 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      turn <= '0;
      used <= '0;
    end else if (found) begin
      turn <= winner;
      used <= stay ? used + 1'b1 : 1; // a new turn starts with this grant
    end
  end
"""
    packed = "_".join(f"{w:0{wide}b}" for w in reversed(weights))
    credits_text = f"""
  localparam logic [{wide * count - 1}:0] WEIGHTS = {wide * count}'b{packed}; // the last one's first
  logic [N-1:0] turn; // one hot
  logic [{wide - 1}:0] credit;
  logic [2*N-1:0] twice, won;
  logic [N-1:0] others, after;
  logic stay;

  assign stay = (credit != 0) && ((req & turn) != 0);

  // the first request above the present turn, around the end
  assign after = {{turn[N-2:0], turn[N-1]}};
  assign twice = {{req, req}};
  assign won = twice & ~(twice - {{{{N{{1'b0}}}}, after}});
  assign others = won[N-1:0] | won[2*N-1:N];
  assign grant = stay ? turn : others;

  always_ff @(posedge clk) begin
    if (rst) begin
      turn <= 1;
      credit <= WEIGHTS[{wide - 1}:0];
    end else if (stay) begin
      credit <= credit - 1'b1;
    end else if (req != 0) begin
      turn <= others;
      for (int i = 0; i < N; i++) begin
        if (others[i]) credit <= WEIGHTS[{wide}*i +: {wide}] - 1'b1;
      end
    end
  end
"""
    rotations = []
    for k in range(count):
        tests = [(k + d) % count for d in range(1, count + 1)]
        inner = "".join(
            f"{'else ' if n else ''}if (req[{t}]) winner = {bits}'d{t};\n" for n, t in enumerate(tests[:-1])
        )
        rotations.append(f"      {bits}'d{k}: begin\n{inner}      end")
    unrolled = f"""
  logic [{bits - 1}:0] turn, winner;
  logic [{wide - 1}:0] used, weight;
  logic more;
{table}
  always_comb begin
    if (req[turn] && used < weight) more = 1'b1;
    else more = 1'b0;
  end

  // who follows; without another request the same one again
  always_comb begin
    winner = turn;
    if (!more) begin
      case (turn)
{chr(10).join(rotations)}
        default: winner = turn;
      endcase
    end
  end

  assign grant = (req == 0) ? '0 : {{{{(N-1){{1'b0}}}}, 1'b1}} << winner;

  always_ff @(posedge clk) begin
    if (rst) begin
      turn <= {bits}'d0;
      used <= {wide}'d0;
    end else begin
      if (|req) begin
        turn <= winner;
        if (more) used <= used + {wide}'d1;
        else used <= {wide}'d1;
      end
    end
  end
"""
    body = (searching, credits_text, unrolled)[variant]

    def reset(s: State) -> None:
        s.turn = s.used = 0

    def step(s: State, i: Pins) -> Outputs:
        if not i.req:
            return {"grant": 0}
        if i.req >> s.turn & 1 and s.used < weights[s.turn]:
            s.used += 1
        else:
            s.turn = next(k for d in range(1, count + 1) if i.req >> (k := (s.turn + d) % count) & 1)
            s.used = 1
        return {"grant": 1 << s.turn}

    shares = ", ".join(f"{w} for {k}" for k, w in enumerate(weights))
    return Draft(
        rtl=f"""
module weighted_round_robin #(
  parameter int N = {count}
) (
  input logic clk,
  input logic rst,
  input logic [N-1:0] req,
  output logic [N-1:0] grant
);
{body}
endmodule
""",
        about=(
            f"""Weighted round-robin arbiter for {count} requesters with the weights {shares}. `grant` (one hot, 0
            without
            a request) answers in the same cycle. The one whose turn it is wins as long as it requests and has had fewer
            grants in this turn than its weight; otherwise the turn goes to the next request above it, around the end,
            to itself at last, and this grant is the first of the new turn. Cycles without any request change nothing.
            After reset it is the turn of 0, with its whole weight left.""",
            f"""Shares one resource among {count} requesters in turns of up to as many grants as their weights say:
            {shares}. A turn ends early where its owner does not request while another does; the next owner is the first
            requester after it in circular order (itself, if nobody else asks). Combinational `grant`; the turn starts
            at 0 and stands still while `req` is 0.""",
        ),
        model=Machine(reset, step),
        names=("wrr_arbiter", "wrr", "weighted_arbiter", "fair_share_arbiter"),
        stimulus={"req": lambda r: r.getrandbits(count) | r.getrandbits(count)},
        cycles=150,
    )


@family(variants=3)
def slot_arbiter(r: Random, variant: int) -> Draft:
    """Time slots with fixed owners."""
    count, slots = r.choice((3, 4)), r.choice((5, 6, 8))
    owners = [*range(count), *(r.randrange(count) for _ in range(slots - count))]
    r.shuffle(owners)
    length = r.choice((1, 2, 3))
    reclaim = r.random() < 0.6
    bits, sbits, lbits = (count - 1).bit_length(), (slots - 1).bit_length(), max(1, (length - 1).bit_length())
    arms = "\n".join(f"      {sbits}'d{k}: owner = {bits}'d{o};" for k, o in enumerate(owners))
    packed = "_".join(f"{o:0{bits}b}" for o in reversed(owners))
    cases = f"""
  always_comb begin
    case (slot)
{arms}
      default: owner = '0;
    endcase
  end
"""
    vector = f"""
  localparam logic [{bits * slots - 1}:0] OWNERS = {bits * slots}'b{packed}; // slot 0 lowest

  assign owner = OWNERS[{bits}*slot +: {bits}];
"""
    members = {o: [k for k, one in enumerate(owners) if one == o] for o in range(1, count)}
    tests = "\n".join(
        f"    {'if' if n == 0 else 'else if'} ({' || '.join(f'slot == {k}' for k in members[o])}) owner = {bits}'d{o};"
        for n, o in enumerate(members)
    )
    chain = f"""
  always_comb begin
{tests}
    else owner = '0;
  end
"""
    spare = ("for (int i = N - 1; i >= 0; i--)", "for (int i = 0; i < N; i++)")
    taken = (
        f"""
  always_comb begin
    grant = '0;
    reclaimed = 1'b0;
    if (req[owner]) begin
      grant[owner] = 1'b1;
    end else begin
      {spare[0]} begin
        if (req[i]) grant = {{{{(N-1){{1'b0}}}}, 1'b1}} << i; // the lowest is written last
      end
      reclaimed = |req;
    end
  end
""",
        """
  logic [N-1:0] mine, lowest;

  assign mine = req & ({{(N-1){1'b0}}, 1'b1} << owner);
  assign lowest = req & (~req + 1'b1);
  assign grant = (mine != 0) ? mine : lowest;
  assign reclaimed = (req != 0) && (mine == 0);
""",
        f"""
  logic found;

  assign reclaimed = found && !req[owner];

  always_comb begin
    grant = '0;
    found = req[owner];
    if (found) grant[owner] = 1'b1;
    {spare[1]} begin
      if (req[i] && !found) begin
        grant[i] = 1'b1;
        found = 1'b1;
      end
    end
  end
""",
    )
    left = (
        """
  always_comb begin
    grant = '0;
    grant[owner] = req[owner];
  end
""",
        """
  assign grant = req & ({{(N-1){1'b0}}, 1'b1} << owner);
""",
        """
  for (genvar k = 0; k < N; k++) begin : gen_grant
    assign grant[k] = (owner == k) && req[k];
  end
""",
    )
    moves = (
        f"""
  always_ff @(posedge clk) begin
    if (rst) begin
      slot <= '0;
{"      time_in_slot <= '0;" if length > 1 else ""}
    end else {"if (time_in_slot == LENGTH - 1) " if length > 1 else ""}begin
{"      time_in_slot <= '0;" if length > 1 else ""}
      if (slot == SLOTS - 1) slot <= '0;
      else slot <= slot + 1'b1;
    end{" else begin time_in_slot <= time_in_slot + 1'b1; end" if length > 1 else ""}
  end
""",
        f"""
  logic slot_end;

  assign slot_end = {"(time_in_slot == LENGTH - 1)" if length > 1 else "1'b1"};
{
            '''
  always_ff @(posedge clk) begin
    if (rst) time_in_slot <= '0;
    else time_in_slot <= slot_end ? '0 : time_in_slot + 1'b1;
  end
'''
            if length > 1
            else ""
        }
  always_ff @(posedge clk) begin
    if (rst) slot <= '0;
    else if (slot_end) slot <= (slot == SLOTS - 1) ? '0 : slot + 1'b1;
  end
""",
    )
    moving = moves[variant % 2]
    body = (cases, vector, chain)[variant] + (taken if reclaim else left)[variant] + moving
    frame = slots * length

    def reset(s: State) -> None:
        s.time = 0

    def step(s: State, i: Pins) -> Outputs:
        owner = owners[s.time // length]
        out = {"grant": i.req & 1 << owner}
        if reclaim:
            out["reclaimed"] = 0
            if i.req and not out["grant"]:
                out = {"grant": i.req & -i.req, "reclaimed": 1}
        s.time = (s.time + 1) % frame
        return out

    listing = ", ".join(str(o) for o in owners)
    constants = [f"parameter int N = {count}", f"parameter int SLOTS = {slots}"]
    if length > 1:
        constants.append(f"parameter int LENGTH = {length}")
    port = ",\n  output logic reclaimed // an owner's free slot went to another" if reclaim else ""
    unused = (
        "A cycle that the owner does not use goes to the lowest request, and `reclaimed` is high then."
        if reclaim
        else "A cycle that the owner does not use stays free."
    )
    return Draft(
        rtl=f"""
module slot_arbiter #(
  {("," + chr(10) + "  ").join(constants)}
) (
  input logic clk,
  input logic rst,
  input logic [N-1:0] req,
  output logic [N-1:0] grant{port}
);
  logic [{sbits - 1}:0] slot;
  logic [{bits - 1}:0] owner;
  {f"logic [{lbits - 1}:0] time_in_slot;" if length > 1 else ""}
{body}
endmodule
""",
        about=(
            f"""Time-division arbiter for {count} requesters. Time runs in frames of {slots} slots of {length}
            cycle{"s" if length > 1 else ""} each, from slot 0 after reset, whatever is requested. The owners of the
            slots are {listing}. The owner of the present slot is granted (one hot `grant`, combinational) while it
            requests. {unused}""",
            f"""TDM arbiter: a wheel of {slots} slots, each {length} clock cycle{"s" if length > 1 else ""} long, turns
            without a stop, starting with slot 0 after reset. The slots belong to requesters {listing}, in this order.
            `grant` follows `req` in the same cycle. {unused}""",
        ),
        model=Machine(reset, step),
        names=("tdm_arbiter", "time_slot_arbiter", "tdm_scheduler", "slot_wheel"),
        stimulus={"req": _sparse(count)},
        cycles=max(100, 4 * frame),
    )


@family(variants=3)
def matrix_arbiter(r: Random, variant: int) -> Draft:
    """The one that has waited longest since its last grant, by a matrix of who goes before whom."""
    count = r.choice((3, 4, 5))
    enabled = r.random() < 0.4
    upwards = r.random() < 0.6
    advance = "advance" if enabled else "|grant"
    start = "(j > k)" if upwards else "(j < k)"
    rows = f"""
  logic [N-1:0] beats [0:N-1]; // bit j of row k: k goes before j
  logic blocked;

  always_comb begin
    for (int k = 0; k < N; k++) begin
      blocked = 1'b0;
      for (int j = 0; j < N; j++) begin
        if (j != k && req[j] && beats[j][k]) blocked = 1'b1;
      end
      grant[k] = req[k] && !blocked;
    end
  end

  // the winner goes behind everybody
  always_ff @(posedge clk) begin
    if (rst) begin
      for (int k = 0; k < N; k++) begin
        for (int j = 0; j < N; j++) beats[k][j] <= {start};
      end
    end else if ({advance}) begin
      for (int k = 0; k < N; k++) begin
        if (grant[k]) beats[k] <= '0;
        else beats[k] <= beats[k] | grant;
      end
    end
  end
"""
    generated = f"""
  logic [N*N-1:0] order; // bit N*k+j: k goes before j

  for (genvar k = 0; k < N; k++) begin : gen_row
    logic [N-1:0] stronger; // requests that go before this one
    for (genvar j = 0; j < N; j++) begin : gen_column
      if (j == k) begin
        assign stronger[j] = 1'b0;
        always_ff @(posedge clk) begin
          if (rst) order[N*k+j] <= 1'b0;
        end
      end else begin
        assign stronger[j] = req[j] & order[N*j+k];
        always_ff @(posedge clk) begin
          if (rst) order[N*k+j] <= {start};
          else if ({"advance & " if enabled else ""}grant[k]) order[N*k+j] <= 1'b0;
          else if ({"advance & " if enabled else ""}grant[j]) order[N*k+j] <= 1'b1;
        end
      end
    end
    assign grant[k] = req[k] & ~(|stronger);
  end
"""
    pairs = [(a, b) for a in range(count) for b in range(a + 1, count)]
    declared = ", ".join(f"p{a}{b}" for a, b in pairs)
    grants = []
    for k in range(count):
        terms = [f"req[{k}]"]
        for j in range(count):
            if j != k:
                wins = f"p{k}{j}" if k < j else f"~p{j}{k}"
                terms.append(f"(~req[{j}] | {wins})")
        grants.append(f"  assign grant[{k}] = {' & '.join(terms)};")
    sets = "\n".join(f"      p{a}{b} <= 1'b{int(upwards)};" for a, b in pairs)
    gate = f"else if ({advance}) begin" if enabled else "else begin"
    moves = "\n".join(
        f"      if (grant[{a}]) p{a}{b} <= 1'b0;\n      else if (grant[{b}]) p{a}{b} <= 1'b1;" for a, b in pairs
    )
    triangle = f"""
  // one bit a pair is enough: high while the lower one goes before the higher one
  logic {declared};

{chr(10).join(grants)}

  always_ff @(posedge clk) begin
    if (rst) begin
{sets}
    end {gate}
{moves}
    end
  end
"""
    body = (rows, generated, triangle)[variant]

    def reset(s: State) -> None:
        s.order = list(range(count)) if upwards else list(range(count))[::-1]

    def step(s: State, i: Pins) -> Outputs:
        winner = next((k for k in s.order if i.req >> k & 1), None)
        if winner is not None and (not enabled or i.advance):
            s.order.remove(winner)
            s.order.append(winner)
        return {"grant": 0 if winner is None else 1 << winner}

    port = "\n  input logic advance, // the granted transfer takes place" if enabled else ""
    when = "with `advance` high moves its winner" if enabled else "moves its winner"
    return Draft(
        rtl=f"""
module matrix_arbiter #(
  parameter int N = {count}
) (
  input logic clk,
  input logic rst,
  input logic [N-1:0] req,{port}
  output logic [N-1:0] grant
);
{body}
endmodule
""",
        about=(
            f"""Least-recently-granted arbiter for {count} requesters. `grant` (combinational, at most one bit) goes to
            the request in `req` whose last grant is the longest ago. A cycle with a grant {when} behind all others.
            After reset the {"lowest" if upwards else "highest"} numbers come first.""",
            f"""Matrix arbiter: for each pair of its {count} requesters one bit says who goes before whom, and a request
            is granted in the same cycle if no request goes before it. A granted cycle {when} to the last place of the
            order, which starts {"upwards from 0" if upwards else f"downwards from {count - 1}"}.""",
        ),
        model=Machine(reset, step),
        names=("lru_arbiter", "lrg_arbiter", "arb_matrix"),
        stimulus={"req": lambda r: r.getrandbits(count) | r.getrandbits(count), "advance": 0.7},
        cycles=120,
    )


@family(variants=3)
def ageing_arbiter(r: Random, variant: int) -> Draft:
    """Who has waited longest goes first."""
    count = r.choice((2, 3, 4))
    wide = r.choice((2, 3))
    top = (1 << wide) - 1
    bits = max(1, (count - 1).bit_length())
    urgent = r.random() < 0.5
    arrays = f"""
  logic [AGE_BITS-1:0] age [0:N-1];
  logic [AGE_BITS-1:0] oldest;
  logic [{bits - 1}:0] winner;
  logic any;

  // strictly older replaces, so that the lower number wins a tie
  always_comb begin
    winner = '0;
    oldest = '0;
    any = 1'b0;
    for (int i = 0; i < N; i++) begin
      if (req[i] && (!any || age[i] > oldest)) begin
        winner = i;
        oldest = age[i];
        any = 1'b1;
      end
    end
    grant = '0;
    if (any) grant[winner] = 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      for (int i = 0; i < N; i++) age[i] <= '0;
    end else begin
      for (int i = 0; i < N; i++) begin
        if (!req[i] || grant[i]) age[i] <= '0;
        else if (age[i] != {top}) age[i] <= age[i] + 1'b1;
      end
    end
  end
{"  assign urgent = any && (oldest == " + str(top) + ");" if urgent else ""}
"""
    flat = f"""
  logic [N*AGE_BITS-1:0] ages;
  logic [N-1:0] starved;

  // a requester loses to an older one, and to one of the same age with a lower number
  for (genvar k = 0; k < N; k++) begin : gen_requester
    logic [N-1:0] beaten;
    logic [AGE_BITS-1:0] age;

    for (genvar j = 0; j < N; j++) begin : gen_rival
      if (j < k) assign beaten[j] = req[j] && (ages[AGE_BITS*j +: AGE_BITS] >= age);
      else assign beaten[j] = req[j] && (ages[AGE_BITS*j +: AGE_BITS] > age);
    end

    assign grant[k] = req[k] && (beaten == 0);
    assign ages[AGE_BITS*k +: AGE_BITS] = age;
    assign starved[k] = grant[k] && (&age);

    always_ff @(posedge clk) begin
      if (rst) age <= '0;
      else if (grant[k] || !req[k]) age <= '0;
      else age <= (&age) ? age : age + 1'b1;
    end
  end
{"  assign urgent = |starved;" if urgent else ""}
"""
    names = [f"age{k}" for k in range(count)]
    tree = "\n".join(f"  assign key{k} = {{req[{k}], age{k}}}; // no request loses to any" for k in range(count))
    stages = [
        f"""
    best = key0;
    winner = {bits}'d0;"""
    ]
    for k in range(1, count):
        stages.append(f"""
    if (key{k} > best) begin
      best = key{k};
      winner = {bits}'d{k};
    end""")
    clears = "\n".join(f"      {one} <= '0;" for one in names)
    counts = "\n".join(
        f"      age{k} <= (req[{k}] && !grant[{k}]) ? ((age{k} == {top}) ? age{k} : age{k} + 1'b1) : '0;"
        for k in range(count)
    )
    unrolled = f"""
  logic [AGE_BITS-1:0] {", ".join(names)};
  logic [AGE_BITS:0] {", ".join(f"key{k}" for k in range(count))}, best;
  logic [{bits - 1}:0] winner;

{tree}

  always_comb begin{"".join(stages)}
  end

  always_comb begin
    grant = '0;
    if (best[AGE_BITS]) grant[winner] = 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
{clears}
    end else begin
{counts}
    end
  end
{"  assign urgent = &best;" if urgent else ""}
"""
    body = (arrays, flat, unrolled)[variant]

    def reset(s: State) -> None:
        s.ages = [0] * count

    def step(s: State, i: Pins) -> Outputs:
        asking = [k for k in range(count) if i.req >> k & 1]
        winner = max(asking, key=lambda k: (s.ages[k], -k)) if asking else None
        out = {"grant": 0 if winner is None else 1 << winner}
        if urgent:
            out["urgent"] = int(winner is not None and s.ages[winner] == top)
        s.ages = [min(s.ages[k] + 1, top) if k in asking and k != winner else 0 for k in range(count)]
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        word = 0
        for k in range(count):
            ask = s.ages[k] > 0 and r.random() < 0.93
            word |= int(ask or r.random() < 0.55) << k
        return {"req": word}

    port = ",\n  output logic urgent // the winner had reached the greatest age" if urgent else ""
    says = f" `urgent` is high while the winner's age is {top}." if urgent else ""
    return Draft(
        rtl=f"""
module ageing_arbiter #(
  parameter int N = {count},
  parameter int AGE_BITS = {wide}
) (
  input logic clk,
  input logic rst,
  input logic [N-1:0] req,
  output logic [N-1:0] grant{port}
);
{body}
endmodule
""",
        about=(
            f"""Arbiter of {count} requesters by age. Each has a {wide}-bit age that counts the cycles in which it
            requested without a grant, staying at {top}, and goes back to 0 with a grant or a cycle without a request.
            `grant` (combinational, one hot) is the request of the greatest age; of equals, the lowest number
            wins.{says}""",
            f"""Grants the oldest of {count} requests in the same cycle, the lowest number among those equally old. A
            request ages by one with every cycle that it waits, to {top} at most; winning or withdrawing makes it
            young again (0, as after reset).{says}""",
        ),
        model=Machine(reset, step),
        names=("age_arbiter", "oldest_first", "aging_arbiter", "starvation_free_arbiter"),
        drive=drive,
        cycles=160,
    )


@family(variants=2)
def lottery_arbiter(r: Random, variant: int) -> Draft:
    """Draws tickets, of which some hold more than others."""
    count = r.choice((3, 4))
    bits = (count - 1).bit_length()
    tickets = [1] * count
    for _ in range(16 - count):
        tickets[r.randrange(count)] += 1
    length, taps = r.choice(((5, (4, 2)), (6, (5, 4)), (7, (6, 5)), (9, (8, 4)), (10, (9, 6))))
    seed = r.randrange(1, 1 << length)
    edges = [sum(tickets[: k + 1]) for k in range(count)]
    feedback = " ^ ".join(f"lfsr[{t}]" for t in taps)
    compare = "\n".join(
        f"    {'if' if k == 0 else 'else if'} (draw < {edges[k]}) drawn = {bits}'d{k};" for k in range(count - 1)
    )
    owner = [next(k for k in range(count) if d < edges[k]) for d in range(16)]
    arms = "\n".join(
        f"      {held}: drawn = {bits}'d{k};"
        for k in range(count - 1)
        for held in [", ".join(f"4'd{d}" for d in range(16) if owner[d] == k)]
    )
    ranges = f"""
  // whose ticket it is: the ranges lie one behind the other
  always_comb begin
{compare}
    else drawn = {bits}'d{count - 1};
  end

  // a ticket of one that does not ask goes to the next who does
  always_comb begin
    grant = '0;
    found = 1'b0;
    for (int i = 0; i < N; i++) begin
      if (!found && req[(drawn + i) % N]) begin
        grant[(drawn + i) % N] = 1'b1;
        found = 1'b1;
      end
    end
  end

  always_ff @(posedge clk) begin
    if (rst) lfsr <= SEED;
    else if (found) lfsr <= {{lfsr[{length - 2}:0], {feedback}}};
  end
"""
    cased = f"""
  logic [N-1:0] base, upper, chosen;

  always_comb begin
    case (draw)
{arms}
      default: drawn = {bits}'d{count - 1};
    endcase
  end

  assign found = (req != 0);
  assign base = {{{{(N-1){{1'b0}}}}, 1'b1}} << drawn;
  assign upper = req & ~(base - 1'b1); // requests from the drawn one upwards

  always_comb begin
    chosen = (upper != 0) ? upper : req;
    grant = chosen & (~chosen + 1'b1);
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      lfsr <= SEED;
    end else begin
      if (found) begin
        lfsr <= lfsr << 1;
        lfsr[0] <= {feedback};
      end
    end
  end
"""
    body = (ranges, cased)[variant]

    def reset(s: State) -> None:
        s.lfsr = seed

    def step(s: State, i: Pins) -> Outputs:
        if not i.req:
            return {"grant": 0}
        drawn = owner[s.lfsr & 15]
        winner = next(k for d in range(count) if i.req >> (k := (drawn + d) % count) & 1)
        bit = sum(s.lfsr >> t for t in taps) & 1
        s.lfsr = (s.lfsr << 1 | bit) & ((1 << length) - 1)
        return {"grant": 1 << winner}

    holders = ", ".join(
        f"{edges[k] - tickets[k]} to {edges[k] - 1} requester {k}"
        if tickets[k] > 1
        else f"{edges[k] - 1} requester {k}"
        for k in range(count)
    )
    return Draft(
        rtl=f"""
module lottery_arbiter #(
  parameter int N = {count},
  parameter logic [{length - 1}:0] SEED = {length}'h{seed:x}
) (
  input logic clk,
  input logic rst,
  input logic [N-1:0] req,
  output logic [N-1:0] grant
);
  logic [{length - 1}:0] lfsr;
  logic [3:0] draw;
  logic [{bits - 1}:0] drawn; // the requester that holds the ticket
  logic found;

  assign draw = lfsr[3:0];
{body}
endmodule
""",
        about=f"""Lottery arbiter for {count} requesters. The low four bits of a {length}-bit LFSR are the number of the
            ticket drawn; the tickets belong so: {holders}. `grant` (one hot, in the same cycle) goes to the holder if
            it requests, else to the next requester above it in circular order. In every cycle with a request the LFSR
            shifts up by one, with the exclusive or of its bits {" and ".join(map(str, taps))} coming in as bit 0; it
            starts at {length}'h{seed:x}.""",
        model=Machine(reset, step),
        names=("ticket_arbiter", "random_arbiter", "lottery_scheduler"),
        stimulus={"req": lambda r: r.choice((r.getrandbits(count), (1 << count) - 1, r.getrandbits(count)))},
        cycles=200,
    )
