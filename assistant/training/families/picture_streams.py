"""What sees a picture as a stream of pixels: windows, patterns, sprites, boxes and runs."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=3)
def sobel_window(r: Random, variant: int) -> Draft:
    """The strength of an edge in three columns of three pixels."""
    bits = r.choice((6, 8))
    centre = r.choice((2, 2, 1))
    limit = r.choice((1 << (bits - 2), 3 << (bits - 3), 5 << (bits - 3), 40))
    direction = r.random() < 0.5

    def twice(name: str) -> str:
        return f"({name} << 1)" if centre == 2 else name

    top = (1 << bits) - 1
    port = "  output logic steep, // more across the lines than along them\n" if direction else ""
    steep = {0: "steep <= (size_y > size_x);", 1: "steep <= (size_x < size_y);", 2: "steep <= !(size_x >= size_y);"}
    shift = """
  // the window moves along by a column
  always_ff @(posedge clk) begin
    if (rst) begin
      {top_0, top_1, top_2} <= '0;
      {mid_0, mid_1, mid_2} <= '0;
      {low_0, low_1, low_2} <= '0;
    end else if (valid) begin
      {top_0, top_1, top_2} <= {top_1, top_2, top};
      {mid_0, mid_1, mid_2} <= {mid_1, mid_2, mid};
      {low_0, low_1, low_2} <= {low_1, low_2, low};
    end
  end
"""
    shift_long = """
  always_ff @(posedge clk) begin
    if (rst) begin
      for (int i = 0; i < 3; i++) begin
        upper[i] <= '0;
        middle[i] <= '0;
        lower[i] <= '0;
      end
    end else if (valid) begin
      // the newest column is the right one
      upper[2] <= top;
      middle[2] <= mid;
      lower[2] <= low;
      for (int i = 0; i < 2; i++) begin
        upper[i] <= upper[i+1];
        middle[i] <= middle[i+1];
        lower[i] <= lower[i+1];
      end
    end
  end
"""
    nine = "".join(f"  logic [BITS-1:0] {row}_0, {row}_1, {row}_2;\n" for row in ("top", "mid", "low"))
    c = centre
    gained = "2 * " if c == 2 else ""
    body = (
        f"""
{nine}  logic signed [BITS+3:0] grad_x, grad_y;
{shift}
  // right minus left, below minus above
  assign grad_x = $signed({{4'b0, top_2}}) + {gained}$signed({{4'b0, mid_2}}) + $signed({{4'b0, low_2}})
    - $signed({{4'b0, top_0}}) - {gained}$signed({{4'b0, mid_0}}) - $signed({{4'b0, low_0}});
  assign grad_y = $signed({{4'b0, low_0}}) + {gained}$signed({{4'b0, low_1}}) + $signed({{4'b0, low_2}})
    - $signed({{4'b0, top_0}}) - {gained}$signed({{4'b0, top_1}}) - $signed({{4'b0, top_2}});
  assign size_x = grad_x[BITS+3] ? -grad_x : grad_x;
  assign size_y = grad_y[BITS+3] ? -grad_y : grad_y;
""",
        f"""
  logic [BITS-1:0] upper [0:2];
  logic [BITS-1:0] middle [0:2];
  logic [BITS-1:0] lower [0:2];
  logic [BITS+3:0] left, right, above, below; // weighted sums of the four sides
{shift_long}
  always_comb begin
    left = upper[0] + {twice("middle[0]")} + lower[0];
    right = upper[2] + {twice("middle[2]")} + lower[2];
    above = upper[0] + {twice("upper[1]")} + upper[2];
    below = lower[0] + {twice("lower[1]")} + lower[2];

    size_x = right - left;
    if (right < left) size_x = left - right;
    size_y = below - above;
    if (below < above) size_y = above - below;
  end
""",
        f"""
{nine}
  function automatic logic [BITS+3:0] side(
    input logic [BITS-1:0] first, input logic [BITS-1:0] second, input logic [BITS-1:0] third
  );
    side = first + {twice("second")} + third;
  endfunction

  function automatic logic [BITS+3:0] apart(input logic [BITS+3:0] p, input logic [BITS+3:0] q);
    apart = (p > q) ? p - q : q - p;
  endfunction
{shift}
  assign size_x = apart(side(top_2, mid_2, low_2), side(top_0, mid_0, low_0));
  assign size_y = apart(side(low_0, low_1, low_2), side(top_0, top_1, top_2));
""",
    )[variant]
    result = f"""
  always_ff @(posedge clk) begin
    if (rst) begin
      valid_prev <= 1'b0;
      out_valid <= 1'b0;
      strength <= '0;
      edge_found <= 1'b0;
      {"steep <= 1'b0;" if direction else ""}
    end else begin
      valid_prev <= valid;
      out_valid <= valid_prev;
      if (valid_prev) begin
        strength <= (total > {top}) ? {top} : total[BITS-1:0]; // saturates
        edge_found <= (total >= LIMIT);
        {steep[variant] if direction else ""}
      end
    end
  end
"""

    def reset(s: State) -> None:
        s.window, s.prev, s.valid, s.out = [(0, 0, 0)] * 3, 0, 0, (0, 0, 0)

    def step(s: State, i: Pins) -> Outputs:
        out = {"out_valid": s.valid, "strength": s.out[0], "edge_found": s.out[1]}
        if direction:
            out["steep"] = s.out[2]
        s.valid = s.prev
        if s.prev:
            left, _, right = s.window
            weights = (1, c, 1)
            size_x = abs(sum(w * (q - p) for w, p, q in zip(weights, left, right, strict=True)))
            size_y = abs(sum(w * (column[2] - column[0]) for w, column in zip(weights, s.window, strict=True)))
            total = size_x + size_y
            s.out = (min(total, top), int(total >= limit), int(size_y > size_x))
        s.prev = i.valid
        if i.valid:
            s.window = [*s.window[1:], (i.top, i.mid, i.low)]
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        kind = getattr(s, "kind", 0) if r.random() < 0.8 else r.randrange(4)
        s.kind = kind
        base = r.getrandbits(bits)
        near = [min(top, base + r.randrange(1 << (bits - 3))) for _ in range(3)]
        if kind == 1:
            near[0] = r.randrange(4)
        if kind == 2:
            near = [40 + r.randrange(6) for _ in range(3)]
        if kind == 3:
            near = [r.choice((0, top))] * 3
        return dict(zip(("top", "mid", "low"), near, strict=True))

    name = "Sobel" if centre == 2 else "Prewitt"
    extra = " `steep` says that the vertical difference was larger than the horizontal one." if direction else ""
    return Draft(
        rtl=f"""
module sobel_window #(
  parameter int BITS = {bits},
  parameter int LIMIT = {limit}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic [BITS-1:0] top, // a column of three pixels
  input logic [BITS-1:0] mid,
  input logic [BITS-1:0] low,
  output logic out_valid,
{port}  output logic [BITS-1:0] strength,
  output logic edge_found
);
  logic [BITS+3:0] size_x, size_y, total;
  logic valid_prev;
  {body}
  assign total = size_x + size_y;
{result}endmodule
""",
        about=f"""{name} operator on a 3x3 window. Each `valid` shifts a new column (`top`, `mid`, `low`) in from the
            right. The horizontal difference is the right column minus the left one, each summed with the weights
            1, {c}, 1; the vertical one is the lower row minus the upper one, likewise. The strength is the sum of
            their absolute values: `strength` shows it limited to {top}, and `edge_found` is high where it is at least
            {limit}.{extra} They belong to the window that contains the column and follow two cycles after its
            `valid`, with `out_valid`, and stay. The window starts with zeros.""",
        model=Machine(reset, step),
        names=(name.lower(), f"{name.lower()}_3x3", "edge_filter", "gradient_3x3"),
        stimulus={"valid": 0.85},
        drive=drive,
        cycles=160,
    )


@family(variants=3)
def morphology_window(r: Random, variant: int) -> Draft:
    """Erosion and dilation of a black and white picture."""
    shape = r.choice(("square", "cross", "line"))
    kind = r.choice(("erode", "dilate", "both"))
    cells = {
        "square": [(x, y) for x in range(3) for y in range(3)],
        "cross": [(1, 0), (0, 1), (1, 1), (2, 1), (1, 2)],
        "line": [(0, 1), (1, 1), (2, 1)],
    }[shape]
    # A column is three bits, the upper pixel highest; column 0 is the oldest.
    columns = [sum(1 << (2 - y) for x, y in cells if x == column) for column in range(3)]
    port = "  input logic dilate, // grow, not shrink\n" if kind == "both" else ""
    pins = [f"{('left', 'centre', 'right')[x]}[{2 - y}]" for x, y in cells]
    mask = "".join(f"{one:03b}" for one in columns)

    def chosen(all_set: str, any_set: str) -> str:
        return {"erode": all_set, "dilate": any_set, "both": f"dilate ? {any_set} : {all_set}"}[kind]

    pieces = [(name, one) for name, one in zip(("left", "centre", "right"), columns, strict=True) if one]
    tests = {
        0b111: ("(&{0})", "(|{0})"),
        0b010: ("{0}[1]", "{0}[1]"),
    }
    every = " & ".join(tests[one][0].format(name) for name, one in pieces)
    some = " | ".join(tests[one][1].format(name) for name, one in pieces)
    body = (
        f"""
  // three columns, the middle one of which is looked at
  always_ff @(posedge clk) begin
    if (rst) begin
      left <= '0;
      centre <= '0;
      right <= '0;
    end else if (valid) begin
      left <= centre;
      centre <= right;
      right <= column;
    end
  end

  assign pixel_next = {chosen(f"({every})", f"({some})")};
""",
        f"""
  localparam logic [8:0] SHAPE = 9'b{mask}; // the pixels that count
  logic [8:0] window;
  logic shrunk, grown;

  always_ff @(posedge clk) begin
    if (rst) window <= '0;
    else if (valid) window <= {{window[5:0], column}};
  end

  assign shrunk = &(window | ~SHAPE);
  assign grown = |(window & SHAPE);
  assign pixel_next = {chosen("shrunk", "grown")};
""",
        f"""
  logic [{len(cells) - 1}:0] near; // the neighbourhood
  logic [{len(cells).bit_length() - 1}:0] ones;

  always_ff @(posedge clk) begin
    if (rst) {{left, centre, right}} <= '0;
    else if (valid) {{left, centre, right}} <= {{centre, right, column}};
  end

  assign near = {{{", ".join(pins)}}};

  always_comb begin
    ones = '0;
    for (int i = 0; i < {len(cells)}; i++) begin
      ones = ones + near[i];
    end
  end

  always_comb begin
    {
            {
                "erode": f"pixel_next = (ones == {len(cells)});",
                "dilate": "pixel_next = (ones != 0);",
                "both": f"if (dilate) pixel_next = (ones != 0); else pixel_next = (ones == {len(cells)});",
            }[kind]
        }
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.columns, s.valid, s.pixel, s.due = [0, 0, 0], 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"out_valid": s.valid, "pixel": s.pixel}
        s.valid = s.due
        if s.due:
            near = [s.columns[x] >> (2 - y) & 1 for x, y in cells]
            grow = i.dilate if kind == "both" else kind == "dilate"
            s.pixel = int(any(near) if grow else all(near))
        s.due = i.valid
        if i.valid:
            s.columns = [*s.columns[1:], i.column]
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if r.random() < 0.15:
            s.tone = r.choice((0, 7))
        return {"column": getattr(s, "tone", 7) ^ (1 << r.randrange(3) if r.random() < 0.2 else 0)}

    declared = "" if variant == 1 else "  logic [2:0] left, centre, right;\n"
    rule = {
        "erode": "1 where all of its neighbourhood is 1 (erosion), else 0",
        "dilate": "1 where any of its neighbourhood is 1 (dilation), else 0",
        "both": "1 where any of its neighbourhood is 1 if `dilate` is high (dilation), and where all of it is 1 if"
        " `dilate` is low (erosion); `dilate` is looked at in the cycle after `valid`",
    }[kind]
    around = {
        "square": "all nine pixels",
        "cross": "the middle pixel and those above, below, left and right of it",
        "line": "the middle pixel and those left and right of it",
    }[shape]
    return Draft(
        rtl=f"""
module morphology_window (
  input logic clk,
  input logic rst,
  input logic valid,
{port}  input logic [2:0] column, // three pixels, the upper one in bit 2
  output logic out_valid,
  output logic pixel
);
{declared}  logic valid_prev, pixel_next;
  {body}
  always_ff @(posedge clk) begin
    if (rst) begin
      valid_prev <= 1'b0;
      out_valid <= 1'b0;
      pixel <= 1'b0;
    end else begin
      valid_prev <= valid;
      out_valid <= valid_prev;
      if (valid_prev) pixel <= pixel_next;
    end
  end
endmodule
""",
        about=f"""Morphology on a 3x3 window of a binary picture. Each `valid` shifts in a `column` of three pixels
            from the right. The neighbourhood is {around} of the window, which starts with zeros. Two cycles after
            `valid`, with `out_valid`, `pixel` is {rule}. It stays until the next.""",
        model=Machine(reset, step),
        names=("morph_3x3", "erosion_dilation", "binary_morphology"),
        stimulus={"valid": 0.85},
        drive=drive,
        cycles=160,
    )


@family(variants=3)
def bounding_box(r: Random, variant: int) -> Draft:
    """The smallest rectangle around all marked pixels of a frame."""
    bits = r.choice((4, 5, 6))
    least = r.choice((0, 1, 3, 4))
    counted = least > 1
    top = (1 << bits) - 1
    counts = "  logic [2:0] marks; // up to the number that is needed\n" if counted else ""
    found_now = f"(marks == {least})" if counted else "any"
    add = f"if (marks != {least}) marks <= marks + 1'b1;" if counted else "any <= 1'b1;"
    zero = "marks <= '0;" if counted else "any <= 1'b0;"
    first_mark = "marks <= 1;" if counted else "any <= 1'b1;"
    body = (
        f"""
  // the box of this frame so far; an empty one begins inside out
  always_ff @(posedge clk) begin
    if (rst) begin
      left <= {top};
      right <= '0;
      upper <= {top};
      lower <= '0;
      {zero}
    end else if (frame_end) begin
      left <= {top};
      right <= '0;
      upper <= {top};
      lower <= '0;
      {zero}
    end else if (hit) begin
      if (x < left) left <= x;
      if (x > right) right <= x;
      if (y < upper) upper <= y;
      if (y > lower) lower <= y;
      {add}
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      found <= 1'b0;
      box_left <= '0;
      box_right <= '0;
      box_upper <= '0;
      box_lower <= '0;
    end else if (frame_end) begin
      found <= {found_now};
      if ({found_now}) begin
        box_left <= left;
        box_right <= right;
        box_upper <= upper;
        box_lower <= lower;
      end
    end
  end
""",
        f"""
  logic [BITS-1:0] left_next, right_next, upper_next, lower_next;
  logic enough;

  assign enough = {found_now};

  always_comb begin
    left_next = left;
    right_next = right;
    upper_next = upper;
    lower_next = lower;
    if (frame_end) begin
      left_next = {{BITS{{1'b1}}}};
      right_next = '0;
      upper_next = {{BITS{{1'b1}}}};
      lower_next = '0;
    end else if (hit) begin
      left_next = (x < left) ? x : left;
      right_next = (x > right) ? x : right;
      upper_next = (y < upper) ? y : upper;
      lower_next = (y > lower) ? y : lower;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      left <= {{BITS{{1'b1}}}};
      upper <= {{BITS{{1'b1}}}};
      right <= '0;
      lower <= '0;
      {zero}
      found <= 1'b0;
      {{box_left, box_right, box_upper, box_lower}} <= '0;
    end else begin
      left <= left_next;
      right <= right_next;
      upper <= upper_next;
      lower <= lower_next;
      if (frame_end) begin
        {zero}
        found <= enough;
        // a frame without an object leaves the last box as it was
        if (enough) {{box_left, box_right, box_upper, box_lower}} <= {{left, right, upper, lower}};
      end else if (hit) begin
        {add}
      end
    end
  end
""",
        f"""
  logic started; // there has been a marked pixel in this frame

  // the first marked pixel is the box, the others stretch it
  always_ff @(posedge clk) begin
    if (rst) begin
      started <= 1'b0;
      {zero}
      {{left, right, upper, lower}} <= '0;
    end else if (frame_end) begin
      started <= 1'b0;
      {zero}
    end else if (hit && !started) begin
      started <= 1'b1;
      {first_mark}
      {{left, right}} <= {{x, x}};
      {{upper, lower}} <= {{y, y}};
    end else if (hit) begin
      {add}
      if (x < left) left <= x;
      else if (x > right) right <= x;
      if (y < upper) upper <= y;
      else if (y > lower) lower <= y;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      found <= 1'b0;
    end else if (frame_end) begin
      found <= {found_now};
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      {{box_left, box_right, box_upper, box_lower}} <= '0;
    end else if (frame_end && {found_now}) begin
      box_left <= left;
      box_right <= right;
      box_upper <= upper;
      box_lower <= lower;
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.marks, s.found, s.box = [], 0, (0, 0, 0, 0)

    def step(s: State, i: Pins) -> Outputs:
        out = dict(zip(("box_left", "box_right", "box_upper", "box_lower"), s.box, strict=True)) | {"found": s.found}
        if i.frame_end:
            s.found = int(len(s.marks) >= max(1, least))
            if s.found:
                xs, ys = zip(*s.marks, strict=True)
                s.box = (min(xs), max(xs), min(ys), max(ys))
            s.marks = []
        elif i.valid and i.mark:
            s.marks.append((i.x, i.y))
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if r.random() < 0.08 or not hasattr(s, "place"):
            s.place = (r.randrange(top + 1), r.randrange(top + 1))
        x, y = (min(top, max(0, one + r.randint(-3, 3))) for one in s.place)
        return {"x": x, "y": y}

    need = f"at least {least} marked pixels" if counted else "a marked pixel"
    return Draft(
        rtl=f"""
module bounding_box #(
  parameter int BITS = {bits}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic mark, // the pixel belongs to the object
  input logic [BITS-1:0] x,
  input logic [BITS-1:0] y,
  input logic frame_end, // after the last pixel
  output logic found,
  output logic [BITS-1:0] box_left,
  output logic [BITS-1:0] box_right,
  output logic [BITS-1:0] box_upper,
  output logic [BITS-1:0] box_lower
);
  logic [BITS-1:0] left, right, upper, lower;
{counts if counted else "  logic any; // marked pixel in this frame" + chr(10)}  logic hit;

  assign hit = valid && mark;
  {body}
endmodule
""",
        about=f"""Bounding box tracker. Pixels come with `valid`, `mark` and their place `x`, `y`; `frame_end` ends a
            frame (a pixel in that cycle is ignored). If the frame had {need}, `found` becomes 1 and `box_left`,
            `box_right`, `box_upper` and `box_lower` take the smallest and largest `x` and the smallest and largest
            `y` of its marked pixels; otherwise `found` becomes 0 and the box stays. All outputs are 0 after reset and
            change only after `frame_end`.""",
        model=Machine(reset, step),
        names=("bbox", "object_box", "extent_tracker"),
        stimulus={"valid": 0.85, "mark": 0.35, "frame_end": 0.09},
        drive=drive,
        cycles=240,
    )


@family(variants=3)
def sprite_overlay(r: Random, variant: int) -> Draft:
    """A small picture at a place of its own over the background."""
    bits, depth = r.choice((5, 6)), r.choice((3, 4, 6))
    size = 4
    flips = r.random() < 0.5
    doubled = r.random() < 0.35
    rows = [r.randrange(1, 16) for _ in range(size)]
    if len(set(rows)) == 1:
        rows[0] ^= 6
    ink = r.getrandbits(depth)
    extent = 2 * size if doubled else size
    span = extent.bit_length() - 1
    arms = "\n".join(f"      2'd{k}: line = 4'b{row:04b};" for k, row in enumerate(rows))
    packed = "_".join(f"{row:04b}" for row in reversed(rows))
    column = f"offset_x[{span - 1}:{span - 2}]"
    row_bits = f"offset_y[{span - 1}:{span - 2}]"
    port = "  input logic flip, // left and right\n" if flips else ""
    chosen = f"{column} ^ {{2{{flip}}}}" if flips else column
    body = (
        f"""
  assign offset_x = x - sprite_x;
  assign offset_y = y - sprite_y;
  // a place left of or above the sprite gives a large difference
  assign covered = (offset_x < EXTENT) && (offset_y < EXTENT);
  assign place = {chosen};

  always_comb begin
    case ({row_bits})
{arms}
      default: line = '0;
    endcase
  end

  assign opaque = enable && covered && line[2'd3 - place]; // the leftmost pixel is the highest bit

  always_ff @(posedge clk) begin
    if (rst) begin
      pixel <= '0;
      hit <= 1'b0;
    end else begin
      pixel <= opaque ? INK : background;
      hit <= opaque;
    end
  end
""",
        f"""
  localparam logic [15:0] PICTURE = 16'b{packed}; // the upper row lowest
  logic covered_x, covered_y;

  assign covered_x = (x >= sprite_x) && (x < sprite_x + EXTENT);
  assign covered_y = (y >= sprite_y) && (y < sprite_y + EXTENT);
  assign covered = covered_x && covered_y;
  assign offset_x = x - sprite_x;
  assign offset_y = y - sprite_y;
  assign place = {chosen};
  assign line = PICTURE[4 * {row_bits} +: 4];
  assign opaque = covered & enable & line[~place];

  always_ff @(posedge clk) begin
    if (rst) pixel <= '0;
    else if (opaque) pixel <= INK;
    else pixel <= background;
  end

  always_ff @(posedge clk) begin
    if (rst) hit <= 1'b0;
    else hit <= opaque;
  end
""",
        f"""
  function automatic logic [3:0] picture(input logic [1:0] row);
    case (row)
{arms.replace("line = ", "picture = ")}
    endcase
  endfunction

  logic [{depth - 1}:0] pixel_next;

  always_comb begin
    offset_x = x - sprite_x;
    offset_y = y - sprite_y;
    covered = ~(|offset_x[BITS-1:{span}]) & ~(|offset_y[BITS-1:{span}]);
    place = {chosen};
    line = picture({row_bits});
    opaque = 1'b0;
    pixel_next = background;
    if (enable && covered) begin
      case (place)
        2'd0: opaque = line[3];
        2'd1: opaque = line[2];
        2'd2: opaque = line[1];
        default: opaque = line[0];
      endcase
    end
    if (opaque) pixel_next = INK;
  end

  always_ff @(posedge clk) begin
    if (rst) {{pixel, hit}} <= '0;
    else {{pixel, hit}} <= {{pixel_next, opaque}};
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.pixel = s.hit = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"pixel": s.pixel, "hit": s.hit}
        x, y = i.x - i.sprite_x, i.y - i.sprite_y
        s.hit = 0
        if i.enable and 0 <= x < extent and 0 <= y < extent:
            place = x * size // extent
            if flips and i.flip:
                place = 3 - place
            s.hit = rows[y * size // extent] >> (3 - place) & 1
        s.pixel = ink if s.hit else i.background
        return out

    limit = (1 << bits) - extent - 1

    def drive(r: Random, s: State) -> dict[str, int]:
        if r.random() < 0.08 or not hasattr(s, "place"):
            s.place = (r.randint(1, limit), r.randint(1, limit))
        if r.random() < 0.15:
            return {"sprite_x": s.place[0], "sprite_y": s.place[1]}
        x, y = (one + r.randint(-1, extent) for one in s.place)
        return {"sprite_x": s.place[0], "sprite_y": s.place[1], "x": x, "y": y}

    # Wrapping around the edge of the number range is not told apart, so the sprite stays away from it.
    return Draft(
        rtl=f"""
module sprite_overlay #(
  parameter int BITS = {bits}
) (
  input logic clk,
  input logic rst,
  input logic enable,
{port}  input logic [BITS-1:0] sprite_x, // its left upper corner
  input logic [BITS-1:0] sprite_y,
  input logic [BITS-1:0] x,
  input logic [BITS-1:0] y,
  input logic [{depth - 1}:0] background,
  output logic [{depth - 1}:0] pixel,
  output logic hit
);
  localparam int EXTENT = {extent}; // pixels on the screen
  localparam logic [{depth - 1}:0] INK = {depth}'d{ink};
  logic [BITS-1:0] offset_x, offset_y;
  logic [1:0] place; // the column of the sprite
  logic [3:0] line;
  logic covered, opaque;
  {body}
endmodule
""",
        about=f"""Lays a sprite over the background. The sprite is 4x4 pixels of one colour, {ink}; its rows from the
            top are {", ".join(f"{row:04b}" for row in rows)}, the leftmost pixel first, 1 opaque{
            ", and each of its pixels covers 2x2 on the screen" if doubled else ""
        }. Its left upper corner lies at `sprite_x`, `sprite_y`, so that it lies wholly on the screen{
            "; `flip` swaps left and right" if flips else ""
        }. Where `enable` is high and the pixel at `x`, `y` lies on an opaque pixel of it, `pixel` is the colour and
            `hit` is 1 in the next cycle; otherwise `pixel` is `background` and `hit` 0.""",
        model=Machine(reset, step),
        names=("sprite", "cursor_overlay", "hardware_cursor"),
        stimulus={"enable": 0.93},
        drive=drive,
        cycles=260,
    )


@family(variants=3)
def pattern_generator(r: Random, variant: int) -> Draft:
    """Bars, a ramp, a chessboard and a frame for looking at a screen."""
    bits, depth = r.choice((5, 6)), r.choice((3, 4, 5))
    bar_shift = bits - 3
    cell = r.choice((1, 2))
    last_x, last_y = r.choice(((1 << bits) - 1, (1 << bits) - 4)), r.choice(((1 << bits) - 1, (1 << bits) - 8))
    order = r.sample(("BARS", "RAMP", "CHESS", "BORDER"), 4)
    white = (1 << depth) - 1
    codes = "\n".join(f"  localparam logic [1:0] {one} = 2'd{k};" for k, one in enumerate(order))
    falling = r.random() < 0.5
    wide_bars = {
        3: "bar",
        4: "{bar, 1'b0}",
        5: "{bar, 2'b00}",
    }[depth]
    bar = f"~x[BITS-1:{bar_shift}]" if falling else f"x[BITS-1:{bar_shift}]"
    ramp = f"x[BITS-1 -: {depth}]" if depth <= bits else "x"
    vertical = r.random() < 0.4
    ramp = ramp.replace("x[", "y[") if vertical else ramp
    body = (
        f"""
  assign chess = x[{cell}] ^ y[{cell}];
  assign border = (x == 0) || (x == LAST_X) || (y == 0) || (y == LAST_Y);

  always_ff @(posedge clk) begin
    if (rst) begin
      pixel <= '0;
    end else if (!visible) begin
      pixel <= '0; // dark outside of the picture
    end else begin
      case (mode)
        BARS: pixel <= {wide_bars};
        RAMP: pixel <= {ramp};
        CHESS: pixel <= chess ? WHITE : '0;
        default: pixel <= border ? WHITE : '0;
      endcase
    end
  end
""",
        f"""
  logic [{depth - 1}:0] pixel_next;

  always_comb begin
    chess = (x[{cell}] != y[{cell}]);
    border = 1'b0;
    if (x == 0 || y == 0) border = 1'b1;
    if (x == LAST_X || y == LAST_Y) border = 1'b1;
  end

  // one pattern of four
  always_comb begin
    pixel_next = '0;
    if (mode == BARS) pixel_next = {wide_bars};
    else if (mode == RAMP) pixel_next = {ramp};
    else if (mode == CHESS && chess) pixel_next = WHITE;
    else if (mode == BORDER && border) pixel_next = WHITE;
  end

  always_ff @(posedge clk) begin
    if (rst) pixel <= '0;
    else pixel <= visible ? pixel_next : '0;
  end
""",
        f"""
  logic at_side, at_end;
  logic light; // in the patterns of two colours

  assign chess = x[{cell}] ^ y[{cell}];
  assign at_side = ~(|x) | ~(|(x ^ LAST_X));
  assign at_end = ~(|y) | ~(|(y ^ LAST_Y));
  assign border = at_side | at_end;
  assign light = (chess & (mode == CHESS)) | (border & (mode == BORDER));

  always_ff @(posedge clk) begin
    if (rst) begin
      pixel <= '0;
    end else begin
      pixel <= {{{depth}{{light & visible}}}};
      if (visible && mode == BARS) pixel <= {wide_bars};
      if (visible && mode == RAMP) pixel <= {ramp};
    end
  end
""",
    )[variant]
    x_bits = f"{bits}'d{last_x}"
    y_bits = f"{bits}'d{last_y}"

    def reset(s: State) -> None:
        s.pixel, s.mode = 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"pixel": s.pixel, "mode": s.mode}
        name = order[s.mode]
        bar_value = i.x >> bar_shift
        if falling:
            bar_value = 7 - bar_value
        if not i.visible:
            s.pixel = 0
        elif name == "BARS":
            s.pixel = bar_value << (depth - 3)
        elif name == "RAMP":
            s.pixel = (i.y if vertical else i.x) >> (bits - depth)
        elif name == "CHESS":
            s.pixel = white * ((i.x ^ i.y) >> cell & 1)
        else:
            s.pixel = white * (i.x in (0, last_x) or i.y in (0, last_y))
        if i.frame and i.change:
            s.mode = (s.mode + 1) % 4
        return out

    edge_values = (0, 1, last_x, last_x - 1, (1 << bits) - 1)
    edge_rows = (0, 1, last_y, last_y - 1, (1 << bits) - 1)
    explain = {
        "BARS": f"eight vertical bars, {'7 minus ' if falling else ''}the top three bits of `x`"
        + (f" followed by {depth - 3} zero bit{'s' if depth > 4 else ''}" if depth > 3 else ""),
        "RAMP": f"the top {depth} bits of `{'y' if vertical else 'x'}`",
        "CHESS": f"a chessboard: {white} where bit {cell} of `x` and of `y` differ",
        "BORDER": f"a frame: {white} where `x` is 0 or {last_x} or `y` is 0 or {last_y}",
    }
    said = "; ".join(f"{k} {explain[one]}" for k, one in enumerate(order))
    return Draft(
        rtl=f"""
module pattern_generator #(
  parameter int BITS = {bits}
) (
  input logic clk,
  input logic rst,
  input logic frame, // between two pictures
  input logic change, // a button: the next pattern, please
  input logic visible,
  input logic [BITS-1:0] x,
  input logic [BITS-1:0] y,
  output logic [1:0] mode,
  output logic [{depth - 1}:0] pixel
);
{codes}
  localparam logic [{depth - 1}:0] WHITE = {depth}'d{white};
  localparam logic [BITS-1:0] LAST_X = {x_bits};
  localparam logic [BITS-1:0] LAST_Y = {y_bits};
  logic [2:0] bar;
  logic chess, border;

  // the pattern never changes within a picture
  always_ff @(posedge clk) begin
    if (rst) mode <= '0;
    else if (frame && change) mode <= mode + 1'b1;
  end

  assign bar = {bar};
  {body}
endmodule
""",
        about=f"""Test pattern generator. `mode` starts at 0 and goes on by one, from 3 back to 0, after a cycle with
            both `frame` and `change`. `pixel`, {depth} bits, belongs to the `x` and `y` of the cycle before, and is 0
            where `visible` was low. The patterns by `mode`: {said}; elsewhere 0.""",
        model=Machine(reset, step),
        names=("test_pattern", "tpg", "screen_test"),
        stimulus={
            "frame": 0.1,
            "change": 0.5,
            "visible": 0.93,
            "x": lambda r: r.choice(edge_values) if r.random() < 0.3 else r.getrandbits(bits),
            "y": lambda r: r.choice(edge_rows) if r.random() < 0.2 else r.getrandbits(bits),
        },
        cycles=300,
    )


@family(variants=3)
def pixel_runs(r: Random, variant: int) -> Draft:
    """Run-length encoding of pixels: a value and how often it comes."""
    bits, width = r.choice((1, 2, 4, 8)), r.choice((3, 4, 5))
    longest = r.choice(((1 << width) - 1, 1 << (width - 1), (1 << width) - 3))
    minus = r.random() < 0.5
    vector = f"[{bits - 1}:0] " if bits > 1 else ""
    stored = "length - 1'b1" if minus else "length"
    body = (
        """
  assign same = active && (din == held) && (length != LONGEST);

  always_ff @(posedge clk) begin
    if (rst) begin
      active <= 1'b0;
      length <= '0;
      held <= '0;
    end else if (valid) begin
      active <= 1'b1;
      held <= din;
      length <= same ? length + 1'b1 : 1;
      if (last) begin
        active <= 1'b0;
      end
    end
  end
""",
        f"""
  logic full;
  logic [{width - 1}:0] length_next;

  assign full = (length == LONGEST);
  assign same = (din == held) && active && !full;

  always_comb begin
    length_next = length;
    if (valid) begin
      if (same) length_next = length + 1'b1;
      else length_next = 1;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) length <= '0;
    else length <= length_next;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      active <= 1'b0;
      held <= '0;
    end else begin
      if (valid) active <= !last;
      if (valid) held <= din;
    end
  end
""",
        """
  typedef enum logic {EMPTY, COUNTING} state_t;
  state_t state;

  assign active = (state == COUNTING);
  assign same = active & ~(|(din ^ held)) & (length < LONGEST);

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= EMPTY;
      length <= '0;
      held <= '0;
    end else begin
      case (state)
        EMPTY: if (valid) begin
          held <= din;
          length <= 1; // a run of one
          if (!last) state <= COUNTING;
        end
        COUNTING: if (valid) begin
          if (same) begin
            length <= length + 1'b1;
          end else begin
            held <= din;
            length <= 1;
          end
          if (last) state <= EMPTY;
        end
        default: state <= EMPTY;
      endcase
    end
  end
""",
    )[variant]
    outputs = (
        f"""
  // a run goes out when another one begins, or with the end of the line
  always_ff @(posedge clk) begin
    if (rst) begin
      ending <= 1'b0;
      out_valid <= 1'b0;
      out_pixel <= '0;
      out_length <= '0;
    end else begin
      ending <= valid && last;
      out_valid <= (valid && active && !same) || ending;
      if ((valid && active && !same) || ending) begin
        out_pixel <= held;
        out_length <= {stored};
      end
    end
  end
""",
        f"""
  logic flush; // the run so far goes out

  assign flush = ending | (valid & active & ~same);

  always_ff @(posedge clk) begin
    if (rst) begin
      ending <= 1'b0;
      out_valid <= 1'b0;
    end else begin
      ending <= valid & last; // the last run follows one cycle later
      out_valid <= flush;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      {{out_pixel, out_length}} <= '0;
    end else if (flush) begin
      out_pixel <= held;
      out_length <= {stored};
    end
  end
""",
        f"""
  always_ff @(posedge clk) begin
    if (rst) begin
      ending <= 1'b0;
      out_valid <= 1'b0;
      {{out_pixel, out_length}} <= '0;
    end else begin
      ending <= 1'b0;
      out_valid <= 1'b0;
      if (valid && last) ending <= 1'b1;
      if (ending || (valid && active && !same)) begin
        out_valid <= 1'b1;
        out_pixel <= held;
        out_length <= {stored};
      end
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.run, s.ended, s.valid, s.pixel, s.length = None, None, 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"out_valid": s.valid, "out_pixel": s.pixel, "out_length": s.length}
        done, s.ended = s.ended, None
        if i.valid:
            if s.run and s.run[0] == i.din and s.run[1] < longest:
                s.run = (i.din, s.run[1] + 1)
            else:
                done = s.run or done
                s.run = (i.din, 1)
            if i.last:
                s.ended, s.run = s.run, None
        s.valid = int(done is not None)
        if done:
            s.pixel, s.length = done[0], done[1] - minus
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if r.random() < 0.22 or not hasattr(s, "tone"):
            s.tone = r.getrandbits(bits)
            s.calm = r.random() < 0.5
        if not getattr(s, "calm", True) and r.random() < 0.4:
            s.tone = r.getrandbits(bits)
        return {"din": s.tone}

    length_text = "the length of the run minus one" if minus else "the length of the run"
    return Draft(
        rtl=f"""
module pixel_runs #(
  parameter int LONGEST = {longest}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic {vector}din,
  input logic last, // of a line
  output logic out_valid,
  output logic {vector}out_pixel,
  output logic [{width - 1}:0] out_length
);
  logic {vector}held; // the value of the run
  logic [{width - 1}:0] length;
  logic active; // a run is going on
  logic same, ending;
  {body}{outputs}
endmodule
""",
        about=f"""Run-length encoder for pixels of {bits} bit{"s" if bits > 1 else ""}. Equal pixels in a row within a
            line, which come with `valid`, are a run, of at most {longest} pixels; `last` with a pixel ends its line
            and run. A run goes out, with `out_valid` for one cycle, in the cycle after the pixel that begins another
            run in the same line, or two cycles after the last pixel of the line: `out_pixel` is its value,
            `out_length` {length_text}. They stay until the next run.""",
        model=Machine(reset, step),
        names=("rle_encoder", "run_length_encoder", "pixel_rle"),
        stimulus={"valid": 0.85, "last": 0.05},
        drive=drive,
        cycles=260,
    )
