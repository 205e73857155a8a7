"""What moves words along: buffers between stages, changes of width, and what a processor's stages ask each other."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Function, Machine, Outputs, Pins, State, family


@family(variants=2, held_out=True)
def skid_buffer(r: Random, variant: int) -> Draft:
    """Takes one more word when the way ahead is suddenly blocked."""
    width = r.choice((4, 8, 16))
    body = (
        """
  always_ff @(posedge clk) begin
    if (rst) begin
      held <= 1'b0;
      hold <= '0;
    end else if (in_valid && in_ready && !out_ready) begin
      held <= 1'b1;
      hold <= din;
    end else if (out_ready) begin
      held <= 1'b0;
    end
  end
""",
        """
  always_ff @(posedge clk) begin
    if (rst) held <= 1'b0;
    else held <= !out_ready && (held || in_valid);
  end

  always_ff @(posedge clk) begin
    if (rst) hold <= '0;
    else if (in_valid && !held && !out_ready) hold <= din;
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.held = s.hold = 0

    def step(s: State, i: Pins) -> Outputs:
        valid = s.held or i.in_valid
        out = {
            "in_ready": 1 - s.held,
            "out_valid": int(valid),
            "dout": (s.hold if s.held else i.din) if valid else None,
        }
        if s.held:
            s.held = 1 - i.out_ready
        elif i.in_valid and not i.out_ready:
            s.held, s.hold = 1, i.din
        return out

    return Draft(
        rtl=f"""
module skid_buffer #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic in_valid,
  input logic [WIDTH-1:0] din,
  output logic in_ready,
  output logic out_valid,
  output logic [WIDTH-1:0] dout,
  input logic out_ready
);
  logic held;
  logic [WIDTH-1:0] hold;

  // a word that cannot go on waits aside, and nothing more is taken
  assign in_ready = !held;
  assign out_valid = held || in_valid;
  assign dout = held ? hold : din;
{body}endmodule
""",
        about=(
            "Passes words on within the same cycle. A word that is taken while `out_ready` is low waits aside until it"
            " is high, and meanwhile `in_ready` is low, so that `in_ready` does not depend on `out_ready`."
        ),
        model=Machine(reset, step),
        names=("skid", "stall_buffer", "elastic_stage"),
        stimulus={"in_valid": 0.7, "out_ready": 0.6},
    )


@family(variants=2, held_out=True)
def width_upsizer(r: Random, variant: int) -> Draft:
    """Packs narrow words into a wide one."""
    width, count = r.choice((4, 8)), r.choice((2, 4))
    low_first = r.random() < 0.6
    bits = (count - 1).bit_length()
    place = "index" if low_first else f"{count - 1} - index"
    write = (
        f"word[WIDTH*({place}) +: WIDTH] <= din;",
        "word <= {din, word[WIDTH*COUNT-1:WIDTH]};" if low_first else "word <= {word[WIDTH*(COUNT-1)-1:0], din};",
    )[variant]

    def reset(s: State) -> None:
        s.parts, s.word, s.valid = [], None, 0

    def step(s: State, i: Pins) -> Outputs:
        ready = not s.valid or i.out_ready
        out = {"in_ready": int(ready), "out_valid": s.valid, "dout": s.word if s.valid else None}
        if s.valid and i.out_ready:
            s.valid = 0
        if i.in_valid and ready:
            s.parts.append(i.din)
            if len(s.parts) == count:
                order = s.parts if low_first else s.parts[::-1]
                s.word = sum(part << width * k for k, part in enumerate(order))
                s.valid, s.parts = 1, []
        return out

    return Draft(
        rtl=f"""
module width_upsizer #(
  parameter int WIDTH = {width},
  parameter int COUNT = {count}
) (
  input logic clk,
  input logic rst,
  input logic in_valid,
  input logic [WIDTH-1:0] din,
  output logic in_ready,
  output logic out_valid,
  output logic [WIDTH*COUNT-1:0] dout,
  input logic out_ready
);
  logic [WIDTH*COUNT-1:0] word;
  logic [{bits - 1}:0] index;
  logic take;

  // a whole word has to leave before the next part is taken
  assign in_ready = !out_valid || out_ready;
  assign take = in_valid && in_ready;
  assign dout = word;

  always_ff @(posedge clk) begin
    if (rst) begin
      word <= '0;
      index <= '0;
      out_valid <= 1'b0;
    end else begin
      if (out_ready) out_valid <= 1'b0;
      if (take) begin
        {write}
        if (index == COUNT - 1) begin
          index <= '0;
          out_valid <= 1'b1;
        end else begin
          index <= index + 1'b1;
        end
      end
    end
  end
endmodule
""",
        about=(
            f"Packs {count} words of {width} bits into one, the first in the {'lowest' if low_first else 'highest'}"
            " bits. The wide word waits until `out_ready`; until then nothing more is taken."
        ),
        model=Machine(reset, step),
        names=("upsizer", "word_packer", "gearbox_up"),
        stimulus={"in_valid": 0.8, "out_ready": 0.6},
        cycles=140,
    )


@family(variants=2)
def width_downsizer(r: Random, variant: int) -> Draft:
    """Takes a wide word apart."""
    width, count = r.choice((4, 8)), r.choice((2, 3, 4))
    low_first = r.random() < 0.6
    part = "word[WIDTH-1:0]" if low_first else "word[WIDTH*COUNT-1 -: WIDTH]"
    move = "word >> WIDTH" if low_first else "word << WIDTH"
    ready = ("(parts == '0) || (last && out_ready)", "!out_valid || (out_ready && parts == 1)")[variant]

    def reset(s: State) -> None:
        s.parts = []

    def step(s: State, i: Pins) -> Outputs:
        ready = not s.parts or (len(s.parts) == 1 and i.out_ready)
        out = {
            "in_ready": int(ready),
            "out_valid": int(bool(s.parts)),
            "last": int(len(s.parts) == 1),
            "dout": s.parts[0] if s.parts else None,
        }
        if s.parts and i.out_ready:
            s.parts = s.parts[1:]
        if ready and i.in_valid:
            words = [i.din >> width * k & ((1 << width) - 1) for k in range(count)]
            s.parts = words if low_first else words[::-1]
        return out

    return Draft(
        rtl=f"""
module width_downsizer #(
  parameter int WIDTH = {width},
  parameter int COUNT = {count}
) (
  input logic clk,
  input logic rst,
  input logic in_valid,
  input logic [WIDTH*COUNT-1:0] din,
  output logic in_ready,
  output logic out_valid,
  output logic last,
  output logic [WIDTH-1:0] dout,
  input logic out_ready
);
  logic [WIDTH*COUNT-1:0] word;
  logic [2:0] parts;

  assign out_valid = (parts != '0);
  assign last = (parts == 1);
  assign dout = {part};
  assign in_ready = {ready}; // the next word may follow the last part at once

  always_ff @(posedge clk) begin
    if (rst) begin
      word <= '0;
      parts <= '0;
    end else if (in_valid && in_ready) begin
      word <= din;
      parts <= COUNT;
    end else if (out_valid && out_ready) begin
      word <= {move};
      parts <= parts - 1'b1;
    end
  end
endmodule
""",
        about=(
            f"Sends a wide word as {count} words of {width} bits, the {'lowest' if low_first else 'highest'} bits"
            " first; `last` marks the last of them. The next wide word is taken with it."
        ),
        model=Machine(reset, step),
        names=("downsizer", "word_splitter", "gearbox_down"),
        stimulus={"in_valid": 0.7, "out_ready": 0.7},
        cycles=120,
    )


@family(variants=2, held_out=True)
def credit_sender(r: Random, variant: int) -> Draft:
    """Sends while the other side has room."""
    limit = r.choice((2, 3, 4, 6))
    change = (
        """
      case ({send, credit_return})
        2'b10: credits <= credits - 1'b1;
        2'b01: if (credits != LIMIT) credits <= credits + 1'b1;
        default: credits <= credits; // one goes and one comes
      endcase""",
        """
      if (send && !credit_return) credits <= credits - 1'b1;
      else if (credit_return && !send && credits < LIMIT) credits <= credits + 1'b1;""",
    )[variant]

    def reset(s: State) -> None:
        s.credits = limit

    def step(s: State, i: Pins) -> Outputs:
        send = i.request and s.credits > 0
        out = {"send": int(send), "stalled": int(i.request and s.credits == 0), "credits": s.credits}
        s.credits = min(limit, s.credits - int(send) + i.credit_return)
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        owed = limit - s.credits
        return {"credit_return": int(owed > 0 and r.random() < 0.4) or int(r.random() < 0.05)}

    return Draft(
        rtl=f"""
module credit_sender #(
  parameter int LIMIT = {limit}
) (
  input logic clk,
  input logic rst,
  input logic request,
  input logic credit_return,
  output logic send,
  output logic stalled,
  output logic [2:0] credits
);
  assign send = request && (credits != '0);
  assign stalled = request && (credits == '0);

  // a credit is room for one word at the other side
  always_ff @(posedge clk) begin
    if (rst) begin
      credits <= LIMIT;
    end else begin{change}
    end
  end
endmodule
""",
        about=(
            f"Allows `send` for a `request` while there are `credits`, of which there are {limit} at first. Sending"
            " takes one, `credit_return` gives one back, never above the first number. `stalled` says that a request"
            " waits."
        ),
        model=Machine(reset, step),
        names=("credit_counter", "flow_control", "credit_gate"),
        stimulus={"request": 0.6},
        drive=drive,
        cycles=120,
    )


@family(variants=2, held_out=True)
def forwarding_unit(r: Random, variant: int) -> Draft:
    """Which stage an operand comes from."""
    bits = r.choice((3, 4, 5))
    zero = r.random() < 0.7

    def found(stage: str, source: str) -> str:
        guard = f" && {stage}_rd != '0" if zero else ""
        return f"{stage}_we && {stage}_rd == {source}{guard}"

    def choose(source: str) -> str:
        if variant:
            return f"""
  assign {source}_sel = ({found("ex", source)}) ? 2'd1 : ({found("wb", source)}) ? 2'd2 : 2'd0;
"""
        return f"""
  always_comb begin
    {source}_sel = 2'd0;
    if ({found("ex", source)}) {source}_sel = 2'd1;
    else if ({found("wb", source)}) {source}_sel = 2'd2;
  end
"""

    def sel(i: Pins, source: int) -> int:
        for number, we, rd in ((1, i.ex_we, i.ex_rd), (2, i.wb_we, i.wb_rd)):
            if we and rd == source and not (zero and rd == 0):
                return number
        return 0

    def forward(i: Pins) -> Outputs:
        hazard = i.ex_load and i.ex_we and i.ex_rd in (i.rs1, i.rs2) and not (zero and i.ex_rd == 0)
        return {"rs1_sel": sel(i, i.rs1), "rs2_sel": sel(i, i.rs2), "stall": int(hazard)}

    model: Function = forward
    any_hit = f"(ex_rd == rs1 || ex_rd == rs2){' && ex_rd != 0' if zero else ''}"
    return Draft(
        rtl=f"""
module forwarding_unit (
  input logic [{bits - 1}:0] rs1,
  input logic [{bits - 1}:0] rs2,
  input logic [{bits - 1}:0] ex_rd,
  input logic ex_we,
  input logic ex_load,
  input logic [{bits - 1}:0] wb_rd,
  input logic wb_we,
  output logic [1:0] rs1_sel,
  output logic [1:0] rs2_sel,
  output logic stall
);
  // the younger result goes before the older one
{choose("rs1")}{choose("rs2")}
  // a loaded word is not there yet
  assign stall = ex_load && ex_we && {any_hit};
endmodule
""",
        about=(
            "Chooses for the operands `rs1` and `rs2` of a pipelined processor where they come from: 1 is the stage"
            " before, if it writes that register (`ex_we`, `ex_rd`), else 2 is the last stage (`wb_we`, `wb_rd`), else"
            f" 0 the registers.{' Register 0 is never forwarded.' if zero else ''} `stall` says that the stage before"
            " loads an operand."
        ),
        model=model,
        names=("bypass_unit", "hazard_unit", "operand_select"),
        stimulus={name: (lambda r: r.randrange(3)) for name in ("rs1", "rs2", "ex_rd", "wb_rd")},
        cycles=140,
    )


@family(variants=2, held_out=True)
def branch_predictor(r: Random, variant: int) -> Draft:
    """Two-bit counters that follow what branches did."""
    bits = r.choice((1, 2, 3))
    start = r.choice((1, 2))
    update = (
        """
      if (taken) begin
        if (counters[index] != 2'b11) counters[index] <= counters[index] + 1'b1;
      end else begin
        if (counters[index] != 2'b00) counters[index] <= counters[index] - 1'b1;
      end""",
        """
      case (counters[index])
        2'd0: counters[index] <= taken ? 2'd1 : 2'd0;
        2'd1: counters[index] <= taken ? 2'd2 : 2'd0;
        2'd2: counters[index] <= taken ? 2'd3 : 2'd1;
        default: counters[index] <= taken ? 2'd3 : 2'd2;
      endcase""",
    )[variant]

    def reset(s: State) -> None:
        s.counters = [start] * (1 << bits)

    def step(s: State, i: Pins) -> Outputs:
        out = {
            "predict_taken": int(s.counters[i.pc] >= 2),
            "mispredicted": int(i.update and (s.counters[i.index] >= 2) != bool(i.taken)),
        }
        if i.update:
            s.counters[i.index] = min(3, s.counters[i.index] + 1) if i.taken else max(0, s.counters[i.index] - 1)
        return out

    return Draft(
        rtl=f"""
module branch_predictor #(
  parameter int ADDR = {bits}
) (
  input logic clk,
  input logic rst,
  input logic [ADDR-1:0] pc,
  input logic update,
  input logic [ADDR-1:0] index,
  input logic taken,
  output logic predict_taken,
  output logic mispredicted
);
  logic [1:0] counters [0:(1<<ADDR)-1];

  // the upper bit of a counter is its guess
  assign predict_taken = counters[pc][1];
  assign mispredicted = update && (counters[index][1] != taken);

  // two surprises in a row change a strong guess
  always_ff @(posedge clk) begin
    if (rst) begin
      for (int k = 0; k < (1 << ADDR); k++) counters[k] <= 2'd{start};
    end else if (update) begin{update}
    end
  end
endmodule
""",
        about=(
            f"Predicts branches by {1 << bits} counters of two bits, {start} at first: `predict_taken` is the upper"
            " bit of the counter at `pc`. `update` moves the counter at `index` up where the branch was `taken`, else"
            " down, never past its ends; `mispredicted` says that it had said otherwise."
        ),
        model=Machine(reset, step),
        names=("bimodal_predictor", "branch_history", "bht"),
        stimulus={"update": 0.8, "taken": 0.55},
        cycles=160,
    )


@family(variants=2, held_out=True)
def burst_address(r: Random, variant: int) -> Draft:
    """Addresses of a burst that may wrap."""
    bits, size = r.choice((6, 8)), r.choice((1, 2, 4))
    wrap = r.choice((4, 8))
    mask = wrap * size - 1
    low = mask.bit_length()
    advance = (
        f"""
  always_comb begin
    addr_next = addr + STEP;
    // within its block the address starts again
    if (wrapping) addr_next = {{addr[{bits - 1}:{low}], {low}'(addr[{low - 1}:0] + STEP)}};
  end
""",
        f"""
  logic [{low - 1}:0] offset;

  assign offset = addr[{low - 1}:0] + STEP; // the carry is lost where the address wraps
  assign addr_next = wrapping ? {{addr[{bits - 1}:{low}], offset}} : addr + STEP;
""",
    )[variant]

    def reset(s: State) -> None:
        s.addr = s.left = s.wrapping = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"addr": s.addr, "busy": int(s.left > 0), "last": int(s.left == 1)}
        if s.left == 0:
            if i.start:
                s.addr, s.left, s.wrapping = i.base, i.length, i.wrap
        elif i.en:
            moved = s.addr + size
            s.addr = (s.addr & ~mask) | (moved & mask) if s.wrapping else moved & ((1 << bits) - 1)
            s.left -= 1
        return out

    return Draft(
        rtl=f"""
module burst_address #(
  parameter int STEP = {size}
) (
  input logic clk,
  input logic rst,
  input logic start,
  input logic wrap,
  input logic [{bits - 1}:0] base,
  input logic [3:0] length,
  input logic en,
  output logic [{bits - 1}:0] addr,
  output logic busy,
  output logic last
);
  logic [{bits - 1}:0] addr_next;
  logic [3:0] beats_left;
  logic wrapping;

  assign busy = (beats_left != '0);
  assign last = (beats_left == 1);
{advance}
  always_ff @(posedge clk) begin
    if (rst) begin
      addr <= '0;
      beats_left <= '0;
      wrapping <= 1'b0;
    end else if (!busy) begin
      if (start) begin
        addr <= base;
        beats_left <= length;
        wrapping <= wrap;
      end
    end else if (en) begin
      addr <= addr_next;
      beats_left <= beats_left - 1'b1;
    end
  end
endmodule
""",
        about=(
            f"Makes the addresses of a burst of `length` beats from `base` on, {size} apart, one with each `en`. With"
            f" `wrap` the address stays within its block of {mask + 1} bytes. `busy` lasts as long as the burst,"
            " `last` marks its last beat."
        ),
        model=Machine(reset, step),
        names=("dma_address", "burst_counter", "address_generator"),
        stimulus={"start": 0.5, "en": 0.8, "length": lambda r: r.randrange(1, 9)},
        cycles=160,
    )


@family(variants=2, held_out=True)
def video_timing(r: Random, variant: int) -> Draft:
    """Counts pixels and lines, and marks what is shown."""
    shown, front, sync, back = r.choice((6, 8)), r.choice((1, 2)), r.choice((1, 2)), r.choice((1, 2))
    rows, v_front, v_sync, v_back = r.choice((3, 4)), 1, 1, r.choice((1, 2))
    h_total, v_total = shown + front + sync + back, rows + v_front + v_sync + v_back
    low = r.random() < 0.6
    level = "!" if low else ""
    marks = (
        f"""
  assign hsync = {level}(x >= H_SHOWN + H_FRONT && x < H_SHOWN + H_FRONT + H_SYNC);
  assign vsync = {level}(y >= V_SHOWN + V_FRONT && y < V_SHOWN + V_FRONT + V_SYNC);
""",
        f"""
  logic h_pulse, v_pulse;

  assign h_pulse = (x >= H_SHOWN + H_FRONT) && (x < H_TOTAL - {back});
  assign v_pulse = (y >= V_SHOWN + V_FRONT) && (y < V_TOTAL - {v_back});
  assign hsync = {"~h_pulse" if low else "h_pulse"};
  assign vsync = {"~v_pulse" if low else "v_pulse"};
""",
    )[variant]

    def reset(s: State) -> None:
        s.x = s.y = 0

    def step(s: State, i: Pins) -> Outputs:
        h = int(shown + front <= s.x < shown + front + sync)
        v = int(rows + v_front <= s.y < rows + v_front + v_sync)
        out = {
            "hsync": h ^ low,
            "vsync": v ^ low,
            "visible": int(s.x < shown and s.y < rows),
            "frame_start": int(s.x == 0 and s.y == 0),
        }
        if i.en:
            s.x = (s.x + 1) % h_total
            if s.x == 0:
                s.y = (s.y + 1) % v_total
        return out

    return Draft(
        rtl=f"""
module video_timing #(
  parameter int H_SHOWN = {shown},
  parameter int H_FRONT = {front},
  parameter int H_SYNC = {sync},
  parameter int H_TOTAL = {h_total},
  parameter int V_SHOWN = {rows},
  parameter int V_FRONT = {v_front},
  parameter int V_SYNC = {v_sync},
  parameter int V_TOTAL = {v_total}
) (
  input logic clk,
  input logic rst,
  input logic en,
  output logic hsync,
  output logic vsync,
  output logic visible,
  output logic frame_start
);
  logic [4:0] x, y;

  // pixels, then lines; each line has as many pixels as the one before
  always_ff @(posedge clk) begin
    if (rst) begin
      x <= '0;
      y <= '0;
    end else if (en) begin
      if (x == H_TOTAL - 1) begin
        x <= '0;
        y <= (y == V_TOTAL - 1) ? '0 : y + 1'b1;
      end else begin
        x <= x + 1'b1;
      end
    end
  end

  assign visible = (x < H_SHOWN) && (y < V_SHOWN);
  assign frame_start = (x == '0) && (y == '0);
{marks}endmodule
""",
        about=(
            f"The timing of a picture of {shown} by {rows} pixels: after what is `visible` come {front} pixels, {sync}"
            f" pixels with `hsync`, and {back} more; so with lines, where `vsync` lasts {v_sync} of them. Both are"
            f" active {'low' if low else 'high'}. A pixel takes a cycle in which `en` is set."
        ),
        model=Machine(reset, step),
        names=("vga_timing", "sync_generator", "raster_counter"),
        stimulus={"en": 0.97},
        cycles=260,
    )
