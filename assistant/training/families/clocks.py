"""Counters in a chain: clocks, stop times, and counters that go both ways."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=3)
def twelve_hour_clock(r: Random, variant: int) -> Draft:
    """Hours and minutes in decimal digits, with morning and afternoon, and buttons to set it."""
    pulses = r.choice((1, 2, 3))
    start = r.choice((12, 12, 6))
    per_bits = max(1, (pulses - 1).bit_length())
    tens, ones = divmod(start, 10)
    divider = f"""
  logic [{per_bits - 1}:0] count;

  // so many ticks make a minute
  always_ff @(posedge clk) begin
    if (rst) count <= '0;
    else if (set_minute) count <= '0;
    else if (tick) count <= (count == {pulses - 1}) ? '0 : count + 1'b1;
  end

  assign minute_done = tick && (count == {pulses - 1});
"""
    events = f"""
  {divider if pulses > 1 else "assign minute_done = tick;"}

  assign minute_step = set_minute | minute_done;
  // setting the minutes does not move the hours
  assign hour_step = set_hour | (minute_done & ~set_minute & (minute == 8'h59));
"""
    nested = f"""
  always_ff @(posedge clk) begin
    if (rst) begin
      hour <= 8'h{tens}{ones};
      minute <= 8'h00;
      pm <= 1'b0;
    end else begin
      if (minute_step) begin
        if (minute[3:0] == 4'd9) begin
          minute[3:0] <= 4'd0;
          if (minute[7:4] == 4'd5) minute[7:4] <= 4'd0;
          else minute[7:4] <= minute[7:4] + 4'd1;
        end else begin
          minute[3:0] <= minute[3:0] + 4'd1;
        end
      end
      if (hour_step) begin
        if (hour == 8'h11) pm <= ~pm; // noon or midnight
        if (hour == 8'h12) hour <= 8'h01;
        else if (hour == 8'h09) hour <= 8'h10;
        else hour <= hour + 8'h01;
      end
    end
  end
"""
    split = f"""
  logic [7:0] minute_next, hour_next;

  // one more, in decimal digits
  always_comb begin
    if (minute == 8'h59) minute_next = 8'h00;
    else if (minute[3:0] == 4'h9) minute_next = {{minute[7:4] + 4'h1, 4'h0}};
    else minute_next = minute + 8'h01;
  end

  always_comb begin
    case (hour)
      8'h09: hour_next = 8'h10;
      8'h12: hour_next = 8'h01;
      default: hour_next = hour + 8'h01;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) minute <= 8'h00;
    else if (minute_step) minute <= minute_next;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      hour <= 8'h{tens}{ones};
      pm <= 1'b0;
    end else if (hour_step) begin
      hour <= hour_next;
      pm <= pm ^ (hour == 8'h11);
    end
  end
"""
    digits = f"""
  logic [3:0] minute_ones, hour_ones;
  logic [2:0] minute_tens;
  logic hour_tens;
  logic ten_minutes;

  assign ten_minutes = minute_step && (minute_ones == 4'd9);

  always_ff @(posedge clk) begin
    if (rst) minute_ones <= 4'd0;
    else if (minute_step) minute_ones <= ten_minutes ? 4'd0 : minute_ones + 4'd1;
  end

  always_ff @(posedge clk) begin
    if (rst) minute_tens <= 3'd0;
    else if (ten_minutes) minute_tens <= (minute_tens == 3'd5) ? 3'd0 : minute_tens + 3'd1;
  end

  // from 09 to 10 and from 12 to 01 both digits change
  always_ff @(posedge clk) begin
    if (rst) begin
      hour_tens <= 1'b{tens};
      hour_ones <= 4'd{ones};
      pm <= 1'b0;
    end else if (hour_step) begin
      if (hour_tens && hour_ones == 4'd2) {{hour_tens, hour_ones}} <= 5'd1;
      else if (hour_ones == 4'd9) {{hour_tens, hour_ones}} <= 5'b10000;
      else hour_ones <= hour_ones + 4'd1;
      if (hour_tens && hour_ones == 4'd1) pm <= !pm;
    end
  end

  assign minute = {{1'b0, minute_tens, minute_ones}};
  assign hour = {{3'b000, hour_tens, hour_ones}};
"""
    body = (nested, split, digits)[variant]

    def reset(s: State) -> None:
        s.count, s.minute, s.hour, s.pm = 0, 0, start, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"hour": s.hour // 10 * 16 + s.hour % 10, "minute": s.minute // 10 * 16 + s.minute % 10, "pm": s.pm}
        done = i.tick and s.count == pulses - 1
        full = s.minute == 59
        if i.set_minute:
            s.count = 0
        elif i.tick:
            s.count = (s.count + 1) % pulses
        if i.set_minute or done:
            s.minute = (s.minute + 1) % 60
        if i.set_hour or (done and full and not i.set_minute):
            s.pm ^= s.hour == 11
            s.hour = s.hour % 12 + 1
        return out

    minute = "each `tick` is a minute" if pulses == 1 else f"{pulses} cycles with `tick` make a minute"
    again = "" if pulses == 1 else " and starts the count of ticks again"
    return Draft(
        rtl=f"""
module twelve_hour_clock (
  input logic clk,
  input logic rst,
  input logic tick,
  input logic set_hour,
  input logic set_minute,
  output logic [7:0] hour, // two decimal digits
  output logic [7:0] minute,
  output logic pm
);
  logic minute_done, minute_step, hour_step;
  {events}
  {body}
endmodule
""",
        about=f"""Clock with hours 1 to 12 and minutes 0 to 59, each as two decimal digits of four bits; {minute}. After
            minute 59 comes 0 and the next hour; after 12 comes 1. `pm` changes where the hour goes from 11 to 12.
            Each cycle with `set_hour` is one hour more, in the same way, and each with `set_minute` one minute
            more, without a carry to the hours{again}; a minute that ends in the same cycle is lost. Several at once
            make one hour or one minute, not two. Reset sets it to {start}:00 and `pm` low.""",
        model=Machine(reset, step),
        names=("clock_12h", "wall_clock", "am_pm_clock", "bcd_clock"),
        stimulus={"tick": 0.95, "set_hour": 0.15, "set_minute": 0.15},
        cycles=320,
    )


_CHAINS = (
    ((10, 10, 10), ("units", "tens", "hundreds"), "a counter of three decimal digits"),
    ((10, 6, 10), ("second_ones", "second_tens", "minutes"), "seconds and minutes up to 9:59"),
    ((10, 6, 6), ("second_ones", "second_tens", "minutes"), "seconds and minutes up to 5:59"),
    ((8, 12), ("pieces", "boxes"), "pieces of which 8 fill a box, and up to 11 boxes"),
    ((6, 10, 4), ("laps", "rounds", "stages"), "laps, of which 6 make a round, and 10 rounds a stage"),
    ((12, 4), ("months", "years"), "months, and the year in a cycle of four"),
)


@family(variants=3)
def counter_chain(r: Random, variant: int) -> Draft:
    """Small counters, each enabled by the end of the one before."""
    limits, names, what = r.choice(_CHAINS)
    clears = r.random() < 0.6
    stops = r.random() < 0.4
    bits = [(limit - 1).bit_length() for limit in limits]
    last = len(limits) - 1
    go = "en && !at_end" if stops else "en"
    full = " && ".join(f"{name} == {b}'d{limit - 1}" for name, b, limit in zip(names, bits, limits, strict=True))
    enables = "\n".join(
        f"  assign step_{k} = step_{k - 1} && ({names[k - 1]} == {bits[k - 1]}'d{limits[k - 1] - 1});"
        for k in range(1, last + 1)
    )
    wires = ", ".join(f"step_{k}" for k in range(last + 1))
    clear_line = "else if (clear) {name} <= '0;" if clears else ""
    single = "\n".join(
        f"""
  always_ff @(posedge clk) begin
    if (rst) {name} <= '0;
    {clear_line.replace("{name}", name)}
    else if (step_{k}) {name} <= ({name} == {b}'d{limit - 1}) ? {b}'d0 : {name} + {b}'d1;
  end
"""
        for k, (name, b, limit) in enumerate(zip(names, bits, limits, strict=True))
    )
    separate = f"""
  logic {wires};

  // each counter moves where all before it are at their last value
  assign step_0 = {go};
{enables}
{single}
"""
    deep = ""
    for k in reversed(range(last + 1)):
        name, b, limit = names[k], bits[k], limits[k]
        deep = (
            f"if ({name} == {b}'d{limit - 1}) begin\n {name} <= '0;\n {deep}\n end else begin\n"
            f" {name} <= {name} + 1'b1;\n end"
        )
    zeros = "\n".join(f"      {name} <= '0;" for name in names)
    nested = f"""
  always_ff @(posedge clk) begin
    if (rst) begin
{zeros}
    end {f"else if (clear) begin{chr(10)}{zeros}{chr(10)}    end" if clears else ""} else if ({go}) begin
      {deep}
    end
  end
"""
    cells = "\n".join(
        f"""
  chain_digit #(.LIMIT({limit}), .WIDTH({b})) u_{name} (
    .clk(clk),
    .rst(rst),
    {".clear(clear)," if clears else ""}
    .step({"first_step" if k == 0 else f"carry_{k - 1}"}),
    .count({name}),
    .carry(carry_{k})
  );
"""
        for k, (name, b, limit) in enumerate(zip(names, bits, limits, strict=True))
    )
    instances = f"""
  logic first_step, {", ".join(f"carry_{k}" for k in range(last + 1))};

  assign first_step = {go};
{cells}
"""
    cell = f"""
module chain_digit #(
  parameter int LIMIT = 10,
  parameter int WIDTH = 4
) (
  input logic clk,
  input logic rst,
  {"input logic clear," if clears else ""}
  input logic step,
  output logic [WIDTH-1:0] count,
  output logic carry // to the next digit
);
  assign carry = step && (count == LIMIT - 1);

  always_ff @(posedge clk) begin
    if (rst) count <= '0;
    {"else if (clear) count <= '0;" if clears else ""}
    else if (carry) count <= '0;
    else if (step) count <= count + 1'b1;
  end
endmodule
"""
    body = (separate, nested, instances)[variant]
    total = 1
    for limit in limits:
        total *= limit

    def reset(s: State) -> None:
        s.count = 0

    def step(s: State, i: Pins) -> Outputs:
        out, rest = {}, s.count
        for name, limit in zip(names, limits, strict=True):
            out[name] = rest % limit
            rest //= limit
        out["at_end"] = int(s.count == total - 1)
        if clears and i.clear:
            s.count = 0
        elif i.en:
            s.count = s.count if stops and s.count == total - 1 else (s.count + 1) % total
        return out

    listing = ", ".join(f"`{name}` from 0 to {limit - 1}" for name, limit in zip(names, limits, strict=True))
    return Draft(
        rtl=f"""
module counter_chain (
  input logic clk,
  input logic rst,
  {"input logic clear," if clears else ""}
  input logic en,
  {chr(10).join(f"output logic [{b - 1}:0] {name}," for name, b in zip(names, bits, strict=True))}
  output logic at_end
);
  assign at_end = {full};
  {body}
endmodule
{cell if variant == 2 else ""}
""",
        about=f"""Chain of counters for {what}: {
            listing
        }. Each cycle with `en` counts one more in the first; each further
            one counts where all before it go from their last value back to 0. `at_end` is high while all are at their
            last value; {"there the chain stops" if stops else "the next count leads from there to all zeros"}. {
            "`clear` sets all to 0 and goes before `en`. " if clears else ""
        }All start at 0.""",
        model=Machine(reset, step),
        names=("cascade_counter", "digit_chain", "mixed_counter", "odometer"),
        stimulus={"en": 0.97, "clear": 0.006},
        cycles=min(total + 60, 400),
    )


@family(variants=3)
def up_down_counter(r: Random, variant: int) -> Draft:
    """Counts both ways between two limits, wraps or stays there, and can be loaded."""
    bits = r.choice((3, 4, 5))
    low = r.choice((0, 0, 1, 2))
    high = r.randrange((1 << bits) - 3, 1 << bits)
    wraps = r.random() < 0.5
    pair = r.random() < 0.4
    clamps = r.random() < 0.6
    up, down = ("up & ~down", "down & ~up") if pair else ("en & dir", "en & ~dir")
    bounded = "(din > HIGH) ? HIGH : " + ("(din < LOW) ? LOW : din" if low else "din") if clamps else "din"
    beyond_up = "LOW" if wraps else "HIGH"
    beyond_down = "HIGH" if wraps else "LOW"
    ladder = f"""
  always_ff @(posedge clk) begin
    if (rst) begin
      count <= LOW;
    end else if (load) begin
      count <= {bounded};
    end else if (go_up) begin
      if (at_top) count <= {beyond_up};
      else count <= count + 1'b1;
    end else if (go_down) begin
      if (at_bottom) count <= {beyond_down};
      else count <= count - 1'b1;
    end
  end
"""
    cased = f"""
  logic [{bits - 1}:0] count_next;

  always_comb begin
    count_next = count;
    case ({{go_up, go_down}})
      2'b10: count_next = at_top ? {beyond_up} : count + 1'b1;
      2'b01: count_next = at_bottom ? {beyond_down} : count - 1'b1;
      default: ; // stays
    endcase
    if (load) count_next = {bounded};
  end

  always_ff @(posedge clk) begin
    if (rst) count <= LOW;
    else count <= count_next;
  end
"""
    added = f"""
  logic [{bits - 1}:0] stride, moved;
  logic limit_hit;

  // one adder: plus one, or plus all ones
  assign stride = go_down ? {{{bits}{{1'b1}}}} : {bits}'d1;
  assign moved = count + stride;
  assign limit_hit = (go_up && at_top) || (go_down && at_bottom);

  always_ff @(posedge clk) begin
    if (rst) count <= LOW;
    else if (load) count <= {bounded};
    else if (limit_hit) count <= {"go_up ? LOW : HIGH" if wraps else "count"};
    else if (go_up || go_down) count <= moved;
  end
"""
    if not wraps and not clamps:
        # A loaded value beyond a limit goes back to it by the first step.
        added = added.replace("count <= count;", "count <= go_up ? HIGH : LOW;")
    body = (ladder, cased, added)[variant]

    def reset(s: State) -> None:
        s.count = low

    def step(s: State, i: Pins) -> Outputs:
        go_up = i.up and not i.down if pair else i.en and i.dir
        go_down = i.down and not i.up if pair else i.en and not i.dir
        top, bottom = s.count >= high, s.count <= low
        out = {"count": s.count, "carry": int(bool(go_up and top)), "borrow": int(bool(go_down and bottom))}
        if i.load:
            s.count = max(low, min(high, i.din)) if clamps else i.din
        elif go_up:
            s.count = (low if wraps else high) if top else s.count + 1
        elif go_down:
            s.count = (high if wraps else low) if bottom else s.count - 1
        return out

    controls = (
        "`up` alone counts up, `down` alone counts down; both together do nothing"
        if pair
        else "with `en`, it counts up where `dir` is high and down where it is low"
    )
    ends = (
        f"at {high} or above, up leads to {low}; at {low} or below, down leads to {high}"
        if wraps
        else f"at {high} or above, up leads to {high}; at {low} or below, down leads to {low}"
    )
    return Draft(
        rtl=f"""
module up_down_counter (
  input logic clk,
  input logic rst,
  {"input logic up," if pair else "input logic en,"}
  {"input logic down," if pair else "input logic dir,"}
  input logic load,
  input logic [{bits - 1}:0] din,
  output logic [{bits - 1}:0] count,
  output logic carry,
  output logic borrow
);
  localparam logic [{bits - 1}:0] LOW = {bits}'d{low};
  localparam logic [{bits - 1}:0] HIGH = {bits}'d{high};
  logic go_up, go_down, at_top, at_bottom;

  assign go_up = {up};
  assign go_down = {down};
  assign at_top = (count >= HIGH);
  assign at_bottom = (count <= LOW);
  assign carry = go_up & at_top;
  assign borrow = go_down & at_bottom;
  {body}
endmodule
""",
        about=f"""Up and down counter between {low} and {high}, which starts at {low}. In each cycle {controls}; {ends}.
            `carry` and `borrow` are high in the cycle of an up or down count at that limit, whether or not `load` is
            high too. `load` goes before counting and loads `din`{
            f", or the limit nearest to it where it is not from {low} to {high}" if clamps else ", whatever it is"
        }.""",
        model=Machine(reset, step),
        names=("updown", "up_down", "bidir_counter", "level_counter"),
        stimulus={"en": 0.85, "dir": lambda r: int(r.random() < 0.55), "load": 0.08, "up": 0.6, "down": 0.45},
        cycles=220,
    )
