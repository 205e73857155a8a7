"""Where streams part, meet, are filtered, measured and brought back into order."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=3)
def frame_router(r: Random, variant: int) -> Draft:
    """Sends each frame to the output that its first word names."""
    width, outs = r.choice((8, 12, 16)), r.choice((2, 3, 4))
    tag = 2
    at = r.choice((0, width - tag))
    routes = r.sample(range(4), outs)  # the tag of each output; the others belong to nobody
    counts = outs < 4 and r.random() < 0.6
    cbits = r.choice((3, 4))
    field = f"din[{at + tag - 1}:{at}]"
    tests = "\n".join(f"      2'd{t}: target = {outs}'b{1 << k:0{outs}b};" for k, t in enumerate(routes))
    decode = f"""
  // the header names an output, or nobody
  always_comb begin
    case ({field})
{tests}
      default: target = '0;
    endcase
  end
"""
    bits = "\n".join(f"  assign target[{k}] = ({field} == 2'd{t});" for k, t in enumerate(routes))
    flags = f"""
  logic [N-1:0] target, held, route;
  logic in_frame; // behind the first word of a frame
{decode}
  assign route = in_frame ? held : target;
  assign out_valid = in_valid ? route : '0;
  assign in_ready = (route == 0) || ((route & out_ready) != 0); // what belongs to nobody vanishes
  assign dout = din;
  assign out_last = in_last;

  always_ff @(posedge clk) begin
    if (rst) begin
      in_frame <= 1'b0;
      held <= '0;
    end else if (in_valid && in_ready) begin
      in_frame <= !in_last;
      held <= route;
    end
  end
"""
    machine = f"""
  typedef enum logic [1:0] {{HEADER, PASS, DISCARD}} state_t;
  state_t state, state_next;
  logic [N-1:0] target, held, held_next;

{bits}

  always_comb begin
    state_next = state;
    held_next = held;
    out_valid = '0;
    in_ready = 1'b0;
    case (state)
      HEADER: begin
        out_valid = target & {{N{{in_valid}}}};
        in_ready = (|(target & out_ready)) || !(|target);
        held_next = target;
        if (in_valid && in_ready && !in_last) state_next = (|target) ? PASS : DISCARD;
      end
      PASS: begin
        out_valid = held & {{N{{in_valid}}}};
        in_ready = |(held & out_ready);
        if (in_valid && in_ready && in_last) state_next = HEADER;
      end
      DISCARD: begin
        in_ready = 1'b1;
        if (in_valid && in_last) state_next = HEADER;
      end
      default: state_next = HEADER;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= HEADER;
      held <= '0;
    end else begin
      state <= state_next;
      held <= held_next;
    end
  end

  assign dout = din;
  assign out_last = in_last;
"""
    generated = f"""
  logic [N-1:0] target, held, route;
  logic first, take;
{decode}
  for (genvar k = 0; k < N; k++) begin : gen_output
    assign route[k] = first ? target[k] : held[k];
    assign out_valid[k] = in_valid & route[k];
  end

  always_comb begin
    in_ready = ~|route;
    for (int i = 0; i < N; i++) begin
      if (route[i]) in_ready = out_ready[i];
    end
  end

  assign take = in_valid & in_ready;
  assign {{out_last, dout}} = {{in_last, din}};

  // the word after a last one is a first one
  always_ff @(posedge clk) begin
    if (rst) first <= 1'b1;
    else if (take) first <= in_last;
  end

  always_ff @(posedge clk) begin
    if (rst) held <= '0;
    else if (take & first) held <= target;
  end
"""
    started = ("!in_frame", "(state == HEADER)", "first")[variant]
    tally = f"""
  // frames without an output, up to the largest count
  always_ff @(posedge clk) begin
    if (rst) lost <= '0;
    else if (in_valid && {started} && target == 0 && lost != {(1 << cbits) - 1}) lost <= lost + 1'b1;
  end
"""
    body = (flags, machine, generated)[variant] + (tally if counts else "")

    def reset(s: State) -> None:
        s.route, s.lost = None, 0

    def step(s: State, i: Pins) -> Outputs:
        name = i.din >> at & 3
        route = s.route if s.route is not None else 1 << routes.index(name) if name in routes else 0
        ready = int(not route or bool(route & i.out_ready))
        out = {
            "in_ready": ready,
            "out_valid": route if i.in_valid else 0,
            "dout": i.din,
            "out_last": i.in_last,
        }
        if counts:
            out["lost"] = s.lost
        if i.in_valid and ready:
            if s.route is None and not route:
                s.lost = min(s.lost + 1, (1 << cbits) - 1)
            s.route = None if i.in_last else route
        return out

    table = ", ".join(f"{t} to output {k}" for k, t in enumerate(routes))
    nobody = [t for t in range(4) if t not in routes]
    vanish = (
        f" Frames with the tag {' or '.join(map(str, nobody))} are taken at once and go nowhere"
        + (f"; `lost` counts them, up to {(1 << cbits) - 1}." if counts else ".")
        if nobody
        else ""
    )
    port = f",\n  output logic [{cbits - 1}:0] lost" if counts else ""
    return Draft(
        rtl=f"""
module frame_router #(
  parameter int WIDTH = {width},
  parameter int N = {outs}
) (
  input logic clk,
  input logic rst,
  input logic in_valid,
  input logic in_last,
  input logic [WIDTH-1:0] din,
  output logic in_ready,
  output logic [N-1:0] out_valid,
  input logic [N-1:0] out_ready,
  output logic [WIDTH-1:0] dout, // of all outputs
  output logic out_last{port}
);
{body}
endmodule
""",
        about=(
            f"""Routes frames of {width}-bit words to one of {outs} outputs, without a register in the way. The tag in
            bits {at + 1} to {at} of a frame's first word decides for the whole frame: {table}. A frame ends with a word
            that has `in_last`. `out_valid` has the bit of the chosen output while `in_valid` is high, and `in_ready` is
            that output's bit of `out_ready`; `dout` and `out_last` are common to all outputs.{vanish}""",
            f"""Stream demultiplexer with valid/ready handshakes. Two bits of the header word (the first after reset or
            after a word with `in_last`), {field.replace("din", "`din`")}, select the output of the frame: tag {table}.
            The following words take the same way whatever their bits are. Everything is passed on in the same
            cycle.{vanish}""",
        ),
        model=Machine(reset, step),
        names=("stream_demux", "packet_router", "frame_switch", "tag_demux"),
        stimulus={"in_valid": 0.75, "in_last": 0.3, "out_ready": lambda r: r.getrandbits(outs) | r.getrandbits(outs)},
        cycles=140,
    )


@family(variants=3)
def stream_broadcaster(r: Random, variant: int) -> Draft:
    """Gives each word to all consumers, each in its own time."""
    width, outs = r.choice((4, 8, 16)), r.choice((2, 3, 4))
    masked = r.random() < 0.5
    needs = "wanted & ~sent" if masked else "~sent"
    declare = "\n  logic [N-1:0] wanted;\n" if masked else ""
    flat = f"""
  logic [N-1:0] sent, taking;

  // each consumer sees a word until it has taken it
  assign out_valid = {{N{{in_valid}}}} & {needs};
  assign taking = out_valid & out_ready;
  assign in_ready = ((sent | out_ready{" | ~wanted" if masked else ""}) == {{N{{1'b1}}}});

  always_ff @(posedge clk) begin
    if (rst) sent <= '0;
    else if (in_valid && in_ready) sent <= '0; // all have it: the next word
    else sent <= sent | taking;
  end
"""
    generated = f"""
  logic [N-1:0] sent, served;

  for (genvar k = 0; k < N; k++) begin : gen_consumer
    assign out_valid[k] = in_valid && !sent[k]{" && wanted[k]" if masked else ""};
    assign served[k] = sent[k] || out_ready[k]{" || !wanted[k]" if masked else ""};

    always_ff @(posedge clk) begin
      if (rst) begin
        sent[k] <= 1'b0;
      end else if (in_valid) begin
        if (in_ready) sent[k] <= 1'b0;
        else if (out_ready[k]) sent[k] <= 1'b1;
      end
    end
  end

  assign in_ready = &served;
"""
    waiting = f"""
  logic [N-1:0] waiting, left; // who has not taken the present word yet

  assign out_valid = in_valid ? waiting{" & wanted" if masked else ""} : '0;

  always_comb begin
    left = waiting;
    for (int i = 0; i < N; i++) begin
      if (out_ready[i]{" || !wanted[i]" if masked else ""}) left[i] = 1'b0;
    end
    in_ready = (left == 0);
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      waiting <= {{N{{1'b1}}}};
    end else if (in_valid) begin
      if (in_ready) waiting <= {{N{{1'b1}}}};
      else waiting <= left;
    end
  end
"""
    body = declare + (flat, generated, waiting)[variant]
    body += "\n  assign dout = din;\n" + ("  assign wanted = targets;\n" if masked else "")

    def reset(s: State) -> None:
        s.sent, s.targets = 0, None

    def step(s: State, i: Pins) -> Outputs:
        full = (1 << outs) - 1
        want = i.targets if masked else full
        missing = want & ~s.sent
        ready = int(not missing & ~i.out_ready)
        out = {"in_ready": ready, "out_valid": missing if i.in_valid else 0, "dout": i.din}
        s.waiting = (i.din, want) if i.in_valid and not ready else None
        if i.in_valid:
            s.sent = 0 if ready else s.sent | i.out_ready | (full & ~want if variant == 2 else 0)
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if getattr(s, "waiting", None):
            held = {"in_valid": 1, "din": s.waiting[0]}
            return held | ({"targets": s.waiting[1]} if masked else {})
        return {}

    port = "\n  input logic [N-1:0] targets, // who gets this word" if masked else ""
    who = "all consumers whose bit in `targets` is high" if masked else "all consumers"
    none = " A word without a target is taken at once." if masked else ""
    return Draft(
        rtl=f"""
module stream_broadcaster #(
  parameter int WIDTH = {width},
  parameter int N = {outs}
) (
  input logic clk,
  input logic rst,
  input logic in_valid,
  input logic [WIDTH-1:0] din,{port}
  output logic in_ready,
  output logic [N-1:0] out_valid,
  input logic [N-1:0] out_ready,
  output logic [WIDTH-1:0] dout
);
{body}
endmodule
""",
        about=(
            f"""Copies a stream of {width}-bit words to {outs} consumers with handshakes of their own. A word goes to
            {who}; each may take it in another cycle, but each takes it once: its `out_valid` bit falls after its
            `out_ready` met it. `in_ready` is high in the cycle in which the last missing one takes the word (or all
            at once do), so the next word follows without a gap. `dout` is `din`.{none} The producer keeps its word
            until it is taken.""",
            f"""Eager stream fork with {outs} outputs. `dout` shows `din`; `out_valid` has a bit for every output that
            still has to take the present word, and a bit of state for each remembers who already has. `in_ready`
            is high once {who} have taken the word before or take it now; then all start again with the next
            one.{none}""",
        ),
        model=Machine(reset, step),
        names=("stream_fork", "broadcast", "eager_fork", "word_copier"),
        stimulus={"in_valid": 0.8, "out_ready": lambda r: r.getrandbits(outs)},
        drive=drive,
        cycles=140,
    )


@family(variants=3)
def stream_joiner(r: Random, variant: int) -> Draft:
    """Waits for a word from every source, then sends them together."""
    width, count = r.choice((4, 8)), r.choice((2, 3, 4))
    combine = r.choice(("join", "sum", "xor"))
    out_width = {"join": width * count, "sum": width + (count - 1).bit_length(), "xor": width}[combine]
    words = [f"word{k}" for k in range(count)]
    joined = {
        "join": "{" + ", ".join(reversed(words)) + "}",
        "sum": " + ".join(words),
        "xor": " ^ ".join(words),
    }[combine]
    writes = "\n".join(
        f"    if (in_valid[{k}] && in_ready[{k}]) word{k} <= din[WIDTH*{k} +: WIDTH];" for k in range(count)
    )
    flags = f"""
  logic [N-1:0] held;
  logic [WIDTH-1:0] {", ".join(words)};
  logic leaves;

  assign out_valid = &held;
  assign leaves = out_valid && out_ready;
  assign in_ready = ~held | {{N{{leaves}}}}; // room, or room in this cycle
  assign dout = {joined};

  always_ff @(posedge clk) begin
    if (rst) held <= '0;
    else held <= (in_valid & in_ready) | (leaves ? '0 : held);
  end

  always_ff @(posedge clk) begin
{writes}
  end
"""
    sources = []
    for k in range(count):
        sources.append(f"""
  // source {k}
  always_ff @(posedge clk) begin
    if (rst) begin
      held[{k}] <= 1'b0;
      word{k} <= '0;
    end else if (in_valid[{k}] && in_ready[{k}]) begin
      held[{k}] <= 1'b1;
      word{k} <= din[{width * (k + 1) - 1}:{width * k}];
    end else if (leaves) begin
      held[{k}] <= 1'b0;
    end
  end
""")
    readies = "\n".join(f"  assign in_ready[{k}] = !held[{k}] || leaves;" for k in range(count))
    apart = f"""
  logic [N-1:0] held;
  logic [WIDTH-1:0] {", ".join(words)};
  logic leaves;

{readies}
{"".join(sources)}
  assign out_valid = (held == {{N{{1'b1}}}});
  assign leaves = out_valid & out_ready;
  assign dout = {joined};
"""
    fold = {
        "join": "dout[WIDTH*i +: WIDTH] = words[i];",
        "sum": "dout = dout + words[i];",
        "xor": "dout = dout ^ words[i];",
    }[combine]
    arrays = f"""
  logic [N-1:0] held, held_next;
  logic [WIDTH-1:0] words [0:N-1];

  always_comb begin
    out_valid = 1'b1;
    for (int i = 0; i < N; i++) begin
      if (!held[i]) out_valid = 1'b0;
    end
  end

  always_comb begin
    held_next = held;
    if (out_valid && out_ready) held_next = '0; // the barrier opens
    in_ready = ~held_next;
    held_next = held_next | in_valid;
  end

  always_comb begin
    dout = '0;
    for (int i = 0; i < N; i++) begin
      {fold}
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      held <= '0;
      for (int i = 0; i < N; i++) words[i] <= '0;
    end else begin
      held <= held_next;
      for (int i = 0; i < N; i++) begin
        if (in_valid[i] && in_ready[i]) words[i] <= din[WIDTH*i +: WIDTH];
      end
    end
  end
"""
    body = (flags, apart, arrays)[variant]
    mask = (1 << width) - 1

    def reset(s: State) -> None:
        s.words = [None] * count

    def step(s: State, i: Pins) -> Outputs:
        together = all(one is not None for one in s.words)
        leaves = together and i.out_ready
        value = None
        if together and combine == "join":
            value = sum(one << width * k for k, one in enumerate(s.words))
        elif together and combine == "sum":
            value = sum(s.words)
        elif together:
            value = 0
            for one in s.words:
                value ^= one
        ready = (1 << count) - 1 if leaves else sum(1 << k for k in range(count) if s.words[k] is None)
        if leaves:
            s.words = [None] * count
        for k in range(count):
            if i.in_valid >> k & ready >> k & 1:
                s.words[k] = i.din >> width * k & mask
        return {"in_ready": ready, "out_valid": int(together), "dout": value}

    told = {
        "join": "the words side by side, that of source 0 lowest",
        "sum": f"their sum, in {out_width} bits",
        "xor": "their exclusive or",
    }[combine]
    return Draft(
        rtl=f"""
module stream_joiner #(
  parameter int WIDTH = {width},
  parameter int N = {count}
) (
  input logic clk,
  input logic rst,
  input logic [N-1:0] in_valid,
  output logic [N-1:0] in_ready,
  input logic [N*WIDTH-1:0] din,
  output logic out_valid,
  input logic out_ready,
  output logic [{out_width - 1}:0] dout
);
{body}
endmodule
""",
        about=(
            f"""Joins {count} streams of {width}-bit words (source k in bits {width} k and up of `din`). Each source has
            a register for one word. When all of them are full, `out_valid` is high and `dout` is {told}; with
            `out_ready` they all leave together. A source's `in_ready` is high while its register is empty, and also in
            the cycle in which the words leave.""",
            f"""Barrier for {count} sources with handshakes: a word of each is kept until there is one from every
            source, then they are sent as one, `dout` being {told}. A register that is emptied in a cycle can be filled
            in the same one, so a word per cycle passes.""",
        ),
        model=Machine(reset, step),
        names=("stream_join", "barrier", "rendezvous", "join_stage"),
        stimulus={"in_valid": lambda r: r.getrandbits(count) | r.getrandbits(count), "out_ready": 0.7},
        cycles=120,
    )


@family(variants=3)
def frame_dropper(r: Random, variant: int) -> Draft:
    """Lets frames through that are addressed to it, and drops the others."""
    width = r.choice((8, 12))
    bits = r.choice((3, 4))
    low = r.random() < 0.5
    field = f"din[{bits - 1}:0]" if low else f"din[{width - 1}:{width - bits}]"
    everybody = r.choice((None, (1 << bits) - 1, 0))
    strip = r.random() < 0.4
    promiscuous = r.random() < 0.5
    tests = [f"({field} == own)"]
    if everybody is not None:
        tests.append(f"({field} == {bits}'d{everybody})")
    if promiscuous:
        tests.append("all")
    match = " || ".join(tests)
    flags = f"""
  logic in_frame, keep, pass;

  assign pass = in_frame ? keep : match;
  assign out_valid = in_valid && pass{" && in_frame" if strip else ""};
  assign in_ready = {"!in_frame || " if strip else ""}!pass || out_ready; // what is dropped need not wait

  always_ff @(posedge clk) begin
    if (rst) begin
      in_frame <= 1'b0;
      keep <= 1'b0;
      dropped <= '0;
    end else if (in_valid && in_ready) begin
      in_frame <= !in_last;
      if (!in_frame) begin
        keep <= match;
        if (!match) dropped <= dropped + 1'b1;
      end
    end
  end
"""
    machine = f"""
  typedef enum logic [1:0] {{HEADER, FORWARD, DROP}} state_t;
  state_t state, state_next;
  logic count_up;

  always_comb begin
    state_next = state;
    out_valid = 1'b0;
    in_ready = 1'b1;
    count_up = 1'b0;
    case (state)
      HEADER: begin
        {"" if strip else "out_valid = in_valid && match;"}
        {"" if strip else "in_ready = out_ready || !match;"}
        count_up = in_valid && !match;
        if (in_valid && in_ready && !in_last) state_next = match ? FORWARD : DROP;
      end
      FORWARD: begin
        out_valid = in_valid;
        in_ready = out_ready;
        if (in_valid && out_ready && in_last) state_next = HEADER;
      end
      DROP: if (in_valid && in_last) state_next = HEADER;
      default: state_next = HEADER;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= HEADER;
      dropped <= '0;
    end else begin
      state <= state_next;
      if (count_up) dropped <= dropped + 1'b1;
    end
  end
"""
    equations = f"""
  logic first, wanted, show, take;

  assign show = {"~first & wanted" if strip else "(first & match) | (~first & wanted)"};
  assign out_valid = in_valid & show;
  assign in_ready = out_ready | ~show;
  assign take = in_valid & in_ready;

  always_ff @(posedge clk) begin
    if (rst) first <= 1'b1;
    else if (take) first <= in_last;
  end

  // the decision stays until the next header
  always_ff @(posedge clk) begin
    if (rst) wanted <= 1'b0;
    else if (take & first) wanted <= match;
  end

  always_ff @(posedge clk) begin
    if (rst) dropped <= '0;
    else if (take && first && !match) dropped <= dropped + 1'b1;
  end
"""
    body = (flags, machine, equations)[variant]

    def reset(s: State) -> None:
        s.keep, s.dropped = None, 0

    def step(s: State, i: Pins) -> Outputs:
        name = i.din & ((1 << bits) - 1) if low else i.din >> (width - bits)
        match = name == i.own or name == everybody or bool(promiscuous and i.all)
        header = s.keep is None
        show = (match if header else s.keep) and not (strip and header)
        ready = int(not show or bool(i.out_ready))
        out = {"out_valid": int(i.in_valid and show), "in_ready": ready, "dropped": s.dropped}
        out |= {"dout": i.din, "out_last": i.in_last}
        if i.in_valid and ready:
            if header and not match:
                s.dropped = (s.dropped + 1) % 256
            s.keep = None if i.in_last else match if header else s.keep
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        own = getattr(s, "own", None)
        if own is None or r.random() < 0.03:
            own = s.own = r.randrange(1, (1 << bits) - 1)
        word = r.getrandbits(width)
        if r.random() < 0.5:
            name = own if everybody is None or r.random() < 0.7 else everybody
            top = word & ~((1 << bits) - 1) | name
            word = top if low else word & ((1 << (width - bits)) - 1) | name << (width - bits)
        return {"own": own, "din": word}

    accepted = ["equals `own`"]
    if everybody is not None:
        accepted.append(f"is {everybody} (for everybody)")
    if promiscuous:
        accepted.append("is anything at all while `all` is high")
    header_text = (
        "The first word itself never goes on: only the words behind it do." if strip else "It goes on with the rest."
    )
    port = "\n  input logic all, // takes every frame" if promiscuous else ""
    place = f"bits {bits - 1} to 0" if low else f"bits {width - 1} to {width - bits}"
    return Draft(
        rtl=f"""
module frame_dropper (
  input logic clk,
  input logic rst,
  input logic [{bits - 1}:0] own,{port}
  input logic in_valid,
  input logic in_last,
  input logic [{width - 1}:0] din,
  output logic in_ready,
  output logic out_valid,
  output logic out_last,
  output logic [{width - 1}:0] dout,
  input logic out_ready,
  output logic [7:0] dropped
);
  logic match;

  // whether the word, as a header, is for us
  assign match = {match};
  assign dout = din;
  assign out_last = in_last;
{body}
endmodule
""",
        about=(
            f"""Address filter for frames of {width}-bit words with valid/ready handshakes; a word with `in_last` ends a
            frame. A frame passes if {place} of its first word, when that word is taken, {", or ".join(accepted)}.
            {header_text} Frames that do not pass are taken without waiting for `out_ready`; `dropped` counts them,
            modulo 256. Words pass within the same cycle.""",
            f"""Drops the frames of a stream that are for others. The header is the first word after reset or after a
            word with `in_last`; its address, {place}, is right if it {", or ".join(accepted)}. {header_text} A dropped
            word sees `in_ready` high and does not reach `out_valid`. `dropped` goes up by one with the header of each
            dropped frame.""",
        ),
        model=Machine(reset, step),
        names=("frame_filter", "address_filter", "packet_filter", "header_filter"),
        stimulus={"in_valid": 0.8, "in_last": 0.3, "out_ready": 0.7, "all": 0.1},
        drive=drive,
        cycles=160,
    )


@family(variants=3)
def frame_length_check(r: Random, variant: int) -> Draft:
    """Counts the words of frames, and marks those that are too short or too long."""
    least, most = r.choice((2, 3, 4)), r.choice((6, 8, 10))
    bits = r.choice((4, 5))
    top = (1 << bits) - 1
    abort = r.random() < 0.5
    start = "0" if r.random() < 0.5 else "1"
    tally_start = int(start)
    now = "count + 1'b1" if tally_start == 0 else "count"
    drop = " || abort" if abort else ""
    joint = f"""
  logic [{bits - 1}:0] count, words;

  // the length with this word, which does not go over the top
  assign words = (count == {top}) ? count : {"count + 1'b1" if tally_start == 0 else "count"};

  always_ff @(posedge clk) begin
    if (rst) begin
      count <= {start};
      length <= '0;
      done <= 1'b0;
      runt <= 1'b0;
      giant <= 1'b0;
    end else begin
      done <= 1'b0;
      {"if (abort) begin count <= " + start + "; end else " if abort else ""}if (valid) begin
        if (last) begin
          count <= {start};
          length <= words;
          done <= 1'b1;
          runt <= (words < MIN);
          giant <= (words > MAX);
        end else begin
          count <= {"words" if tally_start == 0 else "(count == " + str(top) + ") ? count : count + 1'b1"};
        end
      end
    end
  end
"""
    split = f"""
  logic [{bits - 1}:0] count, words;
  logic finish, full;

  assign full = &count;
  assign words = full ? {{{bits}{{1'b1}}}} : {now};
  assign finish = valid && last{" && !abort" if abort else ""};

  always_ff @(posedge clk) begin
    if (rst) count <= {start};
    else if (finish{drop}) count <= {start};
    else if (valid && !full) count <= count + 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) done <= 1'b0;
    else done <= finish;
  end

  // the verdict stays until the next frame ends
  always_ff @(posedge clk) begin
    if (rst) begin
      length <= '0;
      {{giant, runt}} <= 2'b00;
    end else if (finish) begin
      length <= words;
      {{giant, runt}} <= {{words > MAX, words < MIN}};
    end
  end
"""
    derived = f"""
  logic [{bits - 1}:0] count, count_next, length_next;
  logic done_next, measured;

  always_comb begin
    count_next = count;
    length_next = length;
    done_next = 1'b0;
    if (valid) begin
      length_next = last ? {now if tally_start else f"((count == {top}) ? count : {now})"} : length;
      done_next = last;
      if (last) count_next = {start};
      else if (count != {top}) count_next = count + 1'b1;
    end
    {"if (abort) begin count_next = " + start + "; length_next = length; done_next = 1'b0; end" if abort else ""}
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      count <= {start};
      length <= '0;
      done <= 1'b0;
      measured <= 1'b0;
    end else begin
      count <= count_next;
      length <= length_next;
      done <= done_next;
      if (done_next) measured <= 1'b1;
    end
  end

  assign runt = measured && (length < MIN);
  assign giant = (length > MAX);
"""
    body = (joint, split, derived)[variant]

    def reset(s: State) -> None:
        s.count = s.length = s.done = s.runt = s.giant = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"length": s.length, "done": s.done, "runt": s.runt, "giant": s.giant}
        s.done = 0
        if abort and i.abort:
            s.count = 0
        elif i.valid:
            s.count = min(s.count + 1, top)
            if i.last:
                s.length, s.done = s.count, 1
                s.runt, s.giant = int(s.count < least), int(s.count > most)
                s.count = 0
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if not s.count:
            s.goal = r.choice((1, 2, least - 1, least, most, most + 1, top - 1, top, top + 2, r.randrange(1, 12)))
            s.seen = 0
        s.seen = getattr(s, "seen", 0)
        row = {"valid": int(r.random() < 0.9)}
        s.seen += row["valid"]
        row["last"] = int(s.seen >= getattr(s, "goal", 1))
        return row

    port = "\n  input logic abort, // the sender gives the frame up" if abort else ""
    gives_up = " A cycle with `abort` forgets the words so far and its own word, and ends no frame." if abort else ""
    return Draft(
        rtl=f"""
module frame_length_check #(
  parameter int MIN = {least},
  parameter int MAX = {most}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic last,{port}
  output logic [{bits - 1}:0] length,
  output logic done,
  output logic runt,
  output logic giant
);
{body}
endmodule
""",
        about=(
            f"""Measures frames. A frame is the words with `valid` up to and including one with `last`. In the cycle
            after that word `done` is high; `length` is then the number of words, or {top} if there were more, `runt`
            says that it is less than {least} and `giant` that it is more than {most}. These three stay until the next
            frame ends; all outputs start at 0.{gives_up}""",
            f"""Frame length meter with limits. Counts valid words, at most to {top}, and at `last` puts the count
            (with the last word) into `length`, with a pulse on `done` and the flags `runt` (below {least}) and
            `giant` (above {most}), which keep their values until the next `done`.{gives_up} After reset everything
            is 0.""",
        ),
        model=Machine(reset, step),
        names=("length_checker", "frame_meter", "packet_length", "runt_detector"),
        stimulus={"abort": 0.04},
        drive=drive,
        cycles=300,
    )


@family(variants=2)
def request_splitter(r: Random, variant: int) -> Draft:
    """Cuts long requests into pieces that do not cross a boundary."""
    abits, lbits = r.choice((8, 10, 12)), r.choice((5, 6))
    log = r.choice((2, 3))
    most = 1 << log
    tagged = r.random() < 0.5
    tag_in = "\n  input logic [1:0] req_tag," if tagged else ""
    tag_out = "\n  output logic [1:0] out_tag," if tagged else ""
    direct = f"""
  logic [LOG:0] room;

  // to the next boundary, or less if less is left
  assign room = BOUNDARY - addr[LOG-1:0];
  assign out_len = (left < room) ? left : room;
  assign out_last = (left <= room);
  assign out_valid = active;
  assign out_addr = addr;
  assign req_ready = !active;

  always_ff @(posedge clk) begin
    if (rst) begin
      active <= 1'b0;
      addr <= '0;
      left <= '0;
    end else if (!active) begin
      if (req_valid) begin
        active <= (req_len != 0); // nothing is to be done for an empty one
        addr <= req_addr;
        left <= req_len;
{"        out_tag <= req_tag;" if tagged else ""}
      end
    end else if (out_ready) begin
      addr <= addr + out_len;
      left <= left - out_len;
      if (out_last) active <= 1'b0;
    end
  end
"""
    machine = f"""
  typedef enum logic {{IDLE, SPLIT}} state_t;
  state_t state, state_next;
  logic [LOG:0] room, piece;
  logic [{abits - 1}:0] addr_next;
  logic [{lbits - 1}:0] left_next;

  assign active = (state == SPLIT);
  assign req_ready = ~active;
  assign out_valid = active;
  assign out_addr = addr;
  assign out_len = piece;

  always_comb begin
    room = {{1'b0, ~addr[LOG-1:0]}} + 1'b1; // words up to the boundary
    if (left > room) begin
      piece = room;
      out_last = 1'b0;
    end else begin
      piece = left;
      out_last = 1'b1;
    end
  end

  always_comb begin
    state_next = state;
    addr_next = addr;
    left_next = left;
    case (state)
      IDLE: begin
        if (req_valid) begin
          addr_next = req_addr;
          left_next = req_len;
          if (req_len != 0) state_next = SPLIT;
        end
      end
      SPLIT: begin
        if (out_ready) begin
          addr_next = addr + piece;
          left_next = left - piece;
          if (out_last) state_next = IDLE;
        end
      end
      default: state_next = IDLE;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      addr <= '0;
      left <= '0;
    end else begin
      state <= state_next;
      addr <= addr_next;
      left <= left_next;
    end
  end
{
        '''
  always_ff @(posedge clk) begin
    if (rst) out_tag <= '0;
    else if (req_valid && req_ready) out_tag <= req_tag;
  end
'''
        if tagged
        else ""
    }"""
    body = (direct, machine)[variant]
    if tagged and variant == 0:
        body = body.replace(
            "      left <= '0;\n    end else if", "      left <= '0;\n      out_tag <= '0;\n    end else if"
        )

    def reset(s: State) -> None:
        s.addr = s.left = s.tag = 0

    def step(s: State, i: Pins) -> Outputs:
        active = s.left > 0
        piece = min(most - s.addr % most, s.left)
        out = {
            "req_ready": int(not active),
            "out_valid": int(active),
            "out_addr": s.addr if active else None,
            "out_len": piece if active else None,
            "out_last": int(piece == s.left) if active else None,
        }
        if tagged:
            out["out_tag"] = s.tag if active else None
        if active and i.out_ready:
            s.addr, s.left = (s.addr + piece) % (1 << abits), s.left - piece
        elif not active and i.req_valid:
            s.addr, s.left, s.tag = i.req_addr, i.req_len, i.req_tag if tagged else 0
        return out

    with_tag = " All pieces carry the request's `req_tag` on `out_tag`." if tagged else ""
    return Draft(
        rtl=f"""
module request_splitter #(
  parameter int LOG = {log}
) (
  input logic clk,
  input logic rst,
  input logic req_valid,
  output logic req_ready,
  input logic [{abits - 1}:0] req_addr,
  input logic [{lbits - 1}:0] req_len,{tag_in}
  output logic out_valid,
  input logic out_ready,
  output logic [{abits - 1}:0] out_addr,
  output logic [{log}:0] out_len,{tag_out}
  output logic out_last // the request's last piece
);
  localparam int BOUNDARY = 1 << LOG;
  logic active;
  logic [{abits - 1}:0] addr;
  logic [{lbits - 1}:0] left;
{body}
endmodule
""",
        about=(
            f"""Splits a request for `req_len` words from `req_addr` on into pieces of at most {most} words that do not
            cross a multiple of {most}. A request is taken (`req_valid` and `req_ready`) while nothing is in work; from
            the next cycle on the pieces are offered one after the other with `out_valid`, `out_addr` and `out_len`,
            each until `out_ready`. A piece goes up to the next boundary, or to the end of the request, where it is
            marked `out_last`. A request for 0 words is taken and yields nothing. Addresses wrap around.{with_tag}""",
            f"""Request splitter in front of a memory whose bursts must stay within blocks of {most} words. Takes one
            request at a time and issues the pieces in ascending order: from the present address to the end of its
            block, or what is left if that is less. `out_last` comes with the last one. `req_ready` is high between
            requests only; an empty request vanishes.{with_tag}""",
        ),
        model=Machine(reset, step),
        names=("burst_splitter", "transfer_splitter", "request_chopper", "boundary_splitter"),
        stimulus={
            "req_valid": 0.7,
            "out_ready": 0.75,
            "req_len": lambda r: r.choice((0, 1, 2, most, most + 1, r.randrange(1 << lbits), r.randrange(8))),
        },
        cycles=180,
    )


@family(variants=2)
def response_reorder(r: Random, variant: int) -> Draft:
    """Gives answers back in the order of the requests."""
    slots, width = r.choice((4, 8)), r.choice((4, 8))
    bits = slots.bit_length() - 1
    with_error = r.random() < 0.5
    err_in = "\n  input logic rsp_error," if with_error else ""
    err_out = "\n  output logic out_error," if with_error else ""
    error_reg = "\n  logic [DEPTH-1:0] bad;" if with_error else ""
    counted = f"""
  logic [WIDTH-1:0] mem [0:DEPTH-1];
  logic [DEPTH-1:0] here;{error_reg}
  logic [{bits - 1}:0] head, tail;
  logic [{bits}:0] count; // numbers in use

  assign alloc_ready = (count != DEPTH);
  assign alloc_id = tail;
  assign out_valid = here[head];
  assign dout = mem[head];
{"  assign out_error = bad[head];" if with_error else ""}
  assign push = alloc_valid && alloc_ready;
  assign pop = out_valid && out_ready;

  always_ff @(posedge clk) begin
    if (rst) begin
      head <= '0;
      tail <= '0;
      count <= '0;
    end else begin
      if (push) tail <= tail + 1'b1;
      if (pop) head <= head + 1'b1;
      count <= count + push - pop;
    end
  end

  // an answer may come in any order
  always_ff @(posedge clk) begin
    if (rst) begin
      here <= '0;
    end else begin
      if (rsp_valid) here[rsp_id] <= 1'b1;
      if (pop) here[head] <= 1'b0;
    end
  end

  always_ff @(posedge clk) begin
    if (rsp_valid) begin
      mem[rsp_id] <= rsp_data;
{"      bad[rsp_id] <= rsp_error;" if with_error else ""}
    end
  end
"""
    wrapped = f"""
  logic [DEPTH*WIDTH-1:0] words;
  logic [DEPTH-1:0] here;{error_reg}
  logic [{bits}:0] head, tail; // with a wrap bit on top
  logic full;

  assign full = (head[{bits}] != tail[{bits}]) && (head[{bits - 1}:0] == tail[{bits - 1}:0]);
  assign alloc_ready = ~full;
  assign alloc_id = tail[{bits - 1}:0];
  assign push = alloc_valid & ~full;
  assign pop = out_valid & out_ready;

  // the oldest request's answer
  assign out_valid = here[head[{bits - 1}:0]];
  assign dout = words[WIDTH*head[{bits - 1}:0] +: WIDTH];
{f"  assign out_error = bad[head[{bits - 1}:0]];" if with_error else ""}

  always_ff @(posedge clk) begin
    if (rst) tail <= '0;
    else if (push) tail <= tail + 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) head <= '0;
    else if (pop) head <= head + 1'b1;
  end

  for (genvar k = 0; k < DEPTH; k++) begin : gen_slot
    always_ff @(posedge clk) begin
      if (rst) begin
        here[k] <= 1'b0;
{"        bad[k] <= 1'b0;" if with_error else ""}
        words[WIDTH*k +: WIDTH] <= '0;
      end else if (rsp_valid && rsp_id == k) begin
        here[k] <= 1'b1;
{"        bad[k] <= rsp_error;" if with_error else ""}
        words[WIDTH*k +: WIDTH] <= rsp_data;
      end else if (pop && head[{bits - 1}:0] == k) begin
        here[k] <= 1'b0;
      end
    end
  end
"""
    body = (counted, wrapped)[variant]

    def reset(s: State) -> None:
        s.order, s.data, s.tail = [], {}, 0

    def step(s: State, i: Pins) -> Outputs:
        ready = len(s.order) < slots
        first = s.data.get(s.order[0]) if s.order else None
        out = {
            "alloc_ready": int(ready),
            "alloc_id": s.tail,
            "out_valid": int(first is not None),
            "dout": first[0] if first else None,
        }
        if with_error:
            out["out_error"] = first[1] if first else None
        if i.rsp_valid:
            s.data[i.rsp_id] = (i.rsp_data, i.rsp_error if with_error else 0)
        if first is not None and i.out_ready:
            del s.data[s.order.pop(0)]
        if i.alloc_valid and ready:
            s.order.append(s.tail)
            s.tail = (s.tail + 1) % slots
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        open_ones = [k for k in s.order if k not in s.data]
        if not open_ones or r.random() < 0.3:
            return {"rsp_valid": 0}
        return {"rsp_valid": 1, "rsp_id": r.choice(open_ones)}

    error_text = " `out_error` is the `rsp_error` that came with it." if with_error else ""
    return Draft(
        rtl=f"""
module response_reorder #(
  parameter int DEPTH = {slots},
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic alloc_valid, // a request is sent and gets a number
  output logic alloc_ready,
  output logic [{bits - 1}:0] alloc_id,
  input logic rsp_valid,
  input logic [{bits - 1}:0] rsp_id,
  input logic [WIDTH-1:0] rsp_data,{err_in}
  output logic out_valid,
  input logic out_ready,{err_out}
  output logic [WIDTH-1:0] dout
);
  logic push, pop;
{body}
endmodule
""",
        about=(
            f"""Reorder buffer for responses with {slots} numbers. A request (`alloc_valid` with `alloc_ready`) gets the
            number `alloc_id`; numbers are given in turn from 0, and `alloc_ready` is low while all {slots} are in use.
            Responses come in any order with their number `rsp_id`, each once, and are always taken. `out_valid` is high
            once the response of the oldest open request is there; `dout` shows its data, and `out_ready` takes it and
            frees the number for the next cycle.{error_text}""",
            f"""Puts {width}-bit responses back into the order of their requests. Up to {slots} requests are open at a
            time; each is given the next number modulo {slots} on `alloc_id` when it is issued. A response is stored
            under `rsp_id` until all before it have left by `out_valid` and `out_ready`. A number is in use from its
            request until its response leaves.{error_text}""",
        ),
        model=Machine(reset, step),
        names=("reorder_buffer", "rsp_reorder", "order_restorer", "in_order_return"),
        stimulus={"alloc_valid": 0.7, "out_ready": 0.7},
        drive=drive,
        cycles=180,
    )
