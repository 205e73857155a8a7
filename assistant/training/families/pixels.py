"""What is done to single pixels of a picture, one a cycle."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Choice, Draft, Machine, Outputs, Pins, State, family
from veriloop.assistant.training.numerals import to_bits


@family(variants=3)
def rgb_to_grey(r: Random, variant: int) -> Draft:
    """The brightness of a colour, by weights that add up to a power of two."""
    weights = r.choice(((77, 150, 29), (54, 183, 19), (5, 9, 2), (19, 38, 7), (2, 5, 1), (1, 2, 1)))
    log = sum(weights).bit_length() - 1
    rounds = r.random() < 0.5
    bits = r.choice((8, 8, 6))
    half = f" + {1 << (log - 1)}" if rounds else ""
    w_r, w_g, w_b = weights

    def shifts(name: str, weight: int) -> str:
        """A product by a constant as a sum of shifts."""
        places = [k for k in range(8, -1, -1) if weight >> k & 1]
        return " + ".join(f"({name} << {k})" if k else name for k in places)

    body = (
        f"""
  // the weights add up to {1 << log}
  always_ff @(posedge clk) begin
    if (rst) begin
      out_valid <= 1'b0;
      grey <= '0;
    end else begin
      out_valid <= valid;
      if (valid) grey <= (W_RED * red + W_GREEN * green + W_BLUE * blue{half}) >> {log};
    end
  end
""",
        f"""
  logic [{bits + log - 1}:0] part_red, part_green, part_blue, sum;

  // products of constants are a few shifts
  assign part_red = {shifts("red", w_r)};
  assign part_green = {shifts("green", w_g)};
  assign part_blue = {shifts("blue", w_b)};
  assign sum = part_red + part_green + part_blue{half};

  always_ff @(posedge clk) begin
    if (rst) out_valid <= 1'b0;
    else out_valid <= valid;
  end

  always_ff @(posedge clk) begin
    if (rst) grey <= '0;
    else if (valid) grey <= sum[{bits + log - 1}:{log}];
  end
""",
        f"""
  function automatic logic [{bits + log - 1}:0] weighted(
    input logic [{bits - 1}:0] x, input logic [{bits - 1}:0] y, input logic [{bits - 1}:0] z
  );
    weighted = x * W_RED{half};
    weighted = weighted + y * W_GREEN;
    weighted = weighted + z * W_BLUE;
  endfunction

  logic [{bits + log - 1}:0] total;
  logic [{bits - 1}:0] grey_next;

  assign total = weighted(red, green, blue);

  always_comb begin
    grey_next = grey; // without a pixel the last one stays
    if (valid) grey_next = total[{log} +: {bits}];
  end

  always_ff @(posedge clk) begin
    if (rst) {{out_valid, grey}} <= '0;
    else {{out_valid, grey}} <= {{valid, grey_next}};
  end
""",
    )[variant]
    constants = f"""
  localparam int W_RED = {w_r};
  localparam int W_GREEN = {w_g};
  localparam int W_BLUE = {w_b};
"""

    def reset(s: State) -> None:
        s.valid = s.grey = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"out_valid": s.valid, "grey": s.grey}
        s.valid = i.valid
        if i.valid:
            total = w_r * i.red + w_g * i.green + w_b * i.blue
            s.grey = (total + (1 << (log - 1) if rounds else 0)) >> log
        return out

    return Draft(
        rtl=f"""
module rgb_to_grey (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic [{bits - 1}:0] red,
  input logic [{bits - 1}:0] green,
  input logic [{bits - 1}:0] blue,
  output logic out_valid,
  output logic [{bits - 1}:0] grey
);{"" if variant == 1 else constants}  {body}
endmodule
""",
        about=(
            f"""Converts colours to grey: `grey` = ({w_r} `red` + {w_g} `green` + {w_b} `blue`) / {1 << log},
            {"rounded to the nearest, a half upwards" if rounds else "rounded down"}, all of {bits} bits. A pixel comes
            with `valid`; its grey value follows in the next cycle with `out_valid` and stays until the next.""",
            f"""Luma of {bits}-bit RGB pixels with one cycle of latency (`out_valid` is `valid` a cycle later). The
            weights are {w_r}, {w_g} and {w_b} of {1 << log}; the sum is divided by {1 << log}
            {"with rounding to nearest (add half, then drop bits)" if rounds else "by dropping bits"}. `grey` changes
            only after a `valid`.""",
        ),
        model=Machine(reset, step),
        names=("luma", "rgb2gray", "grayscale", "to_luma"),
        stimulus={"valid": 0.8},
    )


@family(variants=3)
def alpha_blender(r: Random, variant: int) -> Draft:
    """Lays one layer over another with an opacity."""
    bits, depth = r.choice((8, 8, 6, 5)), r.choice((3, 4, 8))
    channels = r.choice((1, 3))
    keyed = r.random() < 0.4
    whole = (1 << depth) - 1
    width = bits * channels
    key = r.choice((0, (1 << width) - 1, r.getrandbits(width)))
    weight = "alpha + alpha[DEPTH-1]"
    see = "weight" if not keyed else "opacity"
    lanes = range(channels)

    def bit(name: str, k: int) -> str:
        return f"{name}[{bits * k + bits - 1}:{bits * k}]" if channels > 1 else name

    unrolled = "\n".join(
        f"  assign mixed_{k} = {bit('over', k)} * {see} + {bit('under', k)} * ((1 << DEPTH) - {see});" for k in lanes
    )
    keying = "  assign opacity = (over == KEY) ? '0 : weight; // the key colour is transparent\n" if keyed else ""
    body = (
        f"""
  for (genvar k = 0; k < {channels}; k++) begin : gen_channel
    logic [BITS+DEPTH:0] mixed;

    assign mixed = over[BITS*k +: BITS] * {see} + under[BITS*k +: BITS] * ((1 << DEPTH) - {see});
    assign blended[BITS*k +: BITS] = mixed[BITS+DEPTH-1:DEPTH];
  end
""",
        f"""
  logic [BITS+DEPTH:0] {", ".join(f"mixed_{k}" for k in lanes)};

{unrolled}
  assign blended = {{{", ".join(f"mixed_{k}[BITS+DEPTH-1:DEPTH]" for k in reversed(lanes))}}};
""",
        f"""
  // both layers, each in its share
  function automatic logic [BITS-1:0] mix(
    input logic [BITS-1:0] front, input logic [BITS-1:0] back, input logic [DEPTH:0] share
  );
    logic signed [BITS:0] difference;
    logic signed [BITS+DEPTH+1:0] product;
    difference = $signed({{1'b0, front}}) - $signed({{1'b0, back}});
    product = difference * $signed({{1'b0, share}});
    product = product >>> DEPTH;
    mix = back + product[BITS-1:0];
  endfunction

  always_comb begin
    for (int i = 0; i < {channels}; i++) begin
      blended[BITS*i +: BITS] = mix(over[BITS*i +: BITS], under[BITS*i +: BITS], {see});
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.pixel = s.valid = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"pixel": s.pixel, "out_valid": s.valid}
        share = i.alpha + (i.alpha >> (depth - 1))
        if keyed and i.over == key:
            share = 0
        if i.valid:
            s.pixel = 0
            for k in lanes:
                front, back = (one >> (bits * k) & ((1 << bits) - 1) for one in (i.over, i.under))
                s.pixel |= (front * share + back * ((1 << depth) - share) >> depth) << (bits * k)
        s.valid = i.valid
        return out

    what = f"{channels} channels of {bits} bits" if channels > 1 else f"one channel of {bits} bits"
    except_key = f" A pixel of `over` that equals {width}'h{key:x} is transparent: its share is 0." if keyed else ""
    stimulus: dict[str, Choice] = {
        "valid": 0.85,
        "alpha": lambda r: r.choice((0, whole, r.getrandbits(depth), r.getrandbits(depth))),
    }
    if keyed:
        stimulus["over"] = lambda r: key if r.random() < 0.25 else r.getrandbits(width)
    key_line = f"  localparam logic [WIDTH-1:0] KEY = {width}'h{key:x};\n  logic [DEPTH:0] opacity;\n" if keyed else ""
    return Draft(
        rtl=f"""
module alpha_blender #(
  parameter int BITS = {bits}, // of a channel
  parameter int DEPTH = {depth} // of the alpha value
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic [{width - 1}:0] over,
  input logic [{width - 1}:0] under,
  input logic [DEPTH-1:0] alpha, // all ones: only the upper layer
  output logic out_valid,
  output logic [{width - 1}:0] pixel
);
  localparam int WIDTH = {width};
{key_line}  logic [DEPTH:0] weight; // 0 to {1 << depth}
  logic [WIDTH-1:0] blended;

  assign weight = {weight};
{keying}  {body}
  always_ff @(posedge clk) begin
    if (rst) begin
      pixel <= '0;
      out_valid <= 1'b0;
    end else begin
      out_valid <= valid;
      if (valid) pixel <= blended;
    end
  end
endmodule
""",
        about=f"""Blends pixels of two layers, {what}, with a {depth}-bit `alpha`. The share s of `over` is `alpha`
            plus its top bit, so that {whole} gives {1 << depth}.{except_key} Each channel of `pixel` is
            (s times that of `over` plus ({1 << depth} - s) times that of `under`) / {1 << depth}, rounded down; it
            follows `valid` one cycle later, with `out_valid`, and stays until the next.""",
        model=Machine(reset, step),
        names=("layer_mixer", "alpha_blend", "compositor"),
        stimulus=stimulus,
        cycles=140,
    )


@family(variants=3)
def ordered_dither(r: Random, variant: int) -> Draft:
    """Fewer grey levels, with a threshold that depends on the place."""
    bits, keep = r.choice(((8, 4), (8, 5), (6, 2), (8, 1), (6, 3)))
    size = r.choice((2, 4))
    drop = bits - keep
    log = size.bit_length() - 1
    columns = r.choice((5, 6, 8, 9))
    column_bits = (columns - 1).bit_length()
    order = [[0, 2], [3, 1]]
    if size == 4:
        order = [[4 * order[y % 2][x % 2] + order[y // 2][x // 2] for x in range(4)] for y in range(4)]
    if r.random() < 0.5:
        order = [row[::-1] for row in order]
    # As far as the matrix has more steps than there are levels to choose from, its lowest bits do not matter.
    scale = drop - 2 * log
    flat = [value << scale if scale >= 0 else value >> -scale for row in order for value in row]
    arms = "\n".join(f"      {2 * log}'d{k}: threshold = {drop}'d{value};" for k, value in enumerate(flat))
    rows = "\n".join(
        f"      {log}'d{y}: threshold = "
        + " : ".join(f"(x[{log - 1}:0] == {x}) ? {drop}'d{flat[size * y + x]}" for x in range(size - 1))
        + f" : {drop}'d{flat[size * y + size - 1]};"
        for y in range(size)
    )
    packed = "".join(f"{value:0{drop}b}" for value in reversed(flat))
    body = (
        f"""
  always_comb begin
    case ({{y, x[{log - 1}:0]}})
{arms}
      default: threshold = '0;
    endcase
  end

  assign raised = din[{bits - 1}:{drop}] + 1'b1;
  assign above = (din[{drop - 1}:0] > threshold);

  always_ff @(posedge clk) begin
    if (rst) dout <= '0;
    else if (valid) dout <= (above && !(&din[{bits - 1}:{drop}])) ? raised[{keep - 1}:0] : din[{bits - 1}:{drop}];
  end
""",
        f"""
  // one row of the matrix after the other
  always_comb begin
    case (y)
{rows}
      default: threshold = '0;
    endcase
  end

  assign above = (threshold < din[{drop - 1}:0]);
  assign raised = {{1'b0, din[{bits - 1}:{drop}]}} + above;

  always_ff @(posedge clk) begin
    if (rst) begin
      dout <= '0;
    end else if (valid) begin
      if (raised[{keep}]) dout <= {{{keep}{{1'b1}}}}; // white stays white
      else dout <= raised[{keep - 1}:0];
    end
  end
""",
        f"""
  localparam logic [{len(packed) - 1}:0] MATRIX = {len(packed)}'b{packed}; // the first place lowest
  logic [{bits}:0] total;

  assign threshold = MATRIX[{drop} * {{y, x[{log - 1}:0]}} +: {drop}];
  // what is left over of the threshold carries into the levels
  assign total = din + {{{drop}{{1'b1}}}} - threshold;
  assign above = total[{drop}] ^ din[{drop}];
  assign raised = total[{bits}:{drop}];

  always_ff @(posedge clk) begin
    if (rst) dout <= '0;
    else if (valid) dout <= raised[{keep}] ? {{{keep}{{1'b1}}}} : raised[{keep - 1}:0];
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.x = s.y = s.dout = s.valid = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"dout": s.dout, "out_valid": s.valid}
        s.valid = i.valid
        if i.valid:
            level, rest = divmod(i.din, 1 << drop)
            s.dout = min(level + (rest > flat[size * s.y + s.x % size]), (1 << keep) - 1)
            s.x += 1
            if s.x == columns:
                s.x, s.y = 0, (s.y + 1) % size
        if i.frame:
            s.x = s.y = 0
        return out

    table = "; ".join(" ".join(map(str, flat[size * y : size * y + size])) for y in range(size))
    return Draft(
        rtl=f"""
module ordered_dither #(
  parameter int COLUMNS = {columns}
) (
  input logic clk,
  input logic rst,
  input logic frame, // the next pixel is the first of a picture
  input logic valid,
  input logic [{bits - 1}:0] din,
  output logic out_valid,
  output logic [{keep - 1}:0] dout
);
  logic [{column_bits - 1}:0] x;
  logic [{log - 1}:0] y;
  logic [{drop - 1}:0] threshold;
  logic [{keep}:0] raised;
  logic above;

  // the place of the pixel that comes next
  always_ff @(posedge clk) begin
    if (rst) begin
      x <= '0;
      y <= '0;
    end else if (frame) begin
      x <= '0;
      y <= '0;
    end else if (valid) begin
      if (x == COLUMNS - 1) begin
        x <= '0;
        y <= y + 1'b1;
      end else begin
        x <= x + 1'b1;
      end
    end
  end

  always_ff @(posedge clk) begin
    if (rst) out_valid <= 1'b0;
    else out_valid <= valid;
  end
  {body}
endmodule
""",
        about=f"""Ordered dithering of {bits}-bit grey pixels to {keep} bit{"s" if keep > 1 else ""}. Pixels come row
            by row, {columns} a row, one with each `valid`; `frame` makes the next pixel the first of a picture (one
            in the same cycle still belongs to the place before). The top {keep} bit{"s" if keep > 1 else ""} of `din`
            are the level; where the lower {drop} are more than the threshold of the place, the level is one higher,
            but not beyond {(1 << keep) - 1}. Thresholds repeat every {size} columns and {size} rows; row by row they
            are {table}. `dout` follows one cycle later with `out_valid` and stays.""",
        model=Machine(reset, step),
        names=("bayer_dither", "dither", "bit_depth_reducer"),
        stimulus={"valid": 0.9, "frame": 0.01},
        cycles=200,
    )


@family(variants=3)
def chroma_subsampler(r: Random, variant: int) -> Draft:
    """Colour for every second pixel only: 4:4:4 becomes 4:2:2."""
    bits = r.choice((8, 8, 10, 6))
    average = r.random() < 0.7
    first_cb = r.random() < 0.7
    rounding = " + 1'b1" if average and r.random() < 0.5 else ""
    one, two = ("cb", "cr") if first_cb else ("cr", "cb")
    mean = {name: f"({name}_held + {name}{rounding}) >> 1" if average else f"{name}_held" for name in ("cb", "cr")}
    wide = bits if average else bits - 1
    sums = "\n".join(f"  assign {name}_mean = {mean[name]};" for name in ("cb", "cr"))
    body = (
        f"""
  logic [{wide}:0] cb_mean, cr_mean;

{sums}

  // the first of a pair waits for the second
  always_ff @(posedge clk) begin
    if (rst) begin
      odd <= 1'b0;
      out_valid <= 1'b0;
      y_held <= '0;
      cb_held <= '0;
      cr_held <= '0;
      pixels <= '0;
      chroma <= '0;
    end else begin
      out_valid <= valid && odd;
      if (line) begin
        odd <= 1'b0;
      end else if (valid) begin
        odd <= ~odd;
      end
      if (valid && !odd) begin
        y_held <= y;
        cb_held <= cb;
        cr_held <= cr;
      end
      if (valid && odd) begin
        pixels <= {{y, y_held}};
        chroma <= {{{two}_mean[BITS-1:0], {one}_mean[BITS-1:0]}};
      end
    end
  end
""",
        f"""
  typedef enum logic {{FIRST, SECOND}} state_t;
  state_t state, state_next;
  logic [{wide}:0] cb_mean, cr_mean;
  logic pair; // is complete

{sums}
  assign pair = valid && (state == SECOND);

  always_comb begin
    state_next = state;
    case (state)
      FIRST: if (valid) state_next = SECOND;
      SECOND: if (valid) state_next = FIRST;
      default: state_next = FIRST;
    endcase
    if (line) state_next = FIRST; // an odd pixel at the end of a line is dropped
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= FIRST;
      out_valid <= 1'b0;
    end else begin
      state <= state_next;
      out_valid <= pair;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      {{y_held, cb_held, cr_held}} <= '0;
      {{pixels, chroma}} <= '0;
    end else begin
      if (valid && state == FIRST) {{y_held, cb_held, cr_held}} <= {{y, cb, cr}};
      if (pair) begin
        pixels <= {{y, y_held}};
        chroma <= {{{two}_mean[BITS-1:0], {one}_mean[BITS-1:0]}};
      end
    end
  end

  assign odd = (state == SECOND);
""",
        f"""
  function automatic logic [BITS-1:0] merge(input logic [BITS-1:0] p, input logic [BITS-1:0] q);
    logic [BITS:0] total;
    total = p + q{rounding};
    merge = {"total[BITS:1]" if average else "p"};
  endfunction

  always_ff @(posedge clk) begin
    if (rst) begin
      odd <= 1'b0;
      out_valid <= 1'b0;
    end else begin
      out_valid <= valid & odd;
      odd <= (odd ^ valid) & ~line;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      y_held <= '0;
      cb_held <= '0;
      cr_held <= '0;
      pixels <= '0;
      chroma <= '0;
    end else if (valid) begin
      if (odd) begin
        pixels[BITS-1:0] <= y_held; // the left pixel lowest
        pixels[2*BITS-1:BITS] <= y;
        chroma[BITS-1:0] <= merge({one}_held, {one});
        chroma[2*BITS-1:BITS] <= merge({two}_held, {two});
      end else begin
        y_held <= y;
        cb_held <= cb;
        cr_held <= cr;
      end
    end
  end
""",
    )[variant]
    if variant == 2 and not average:
        body = body.replace("    logic [BITS:0] total;\n    total = p + q;\n", "")

    def reset(s: State) -> None:
        s.held, s.valid, s.pixels, s.chroma = None, 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"out_valid": s.valid, "pixels": s.pixels, "chroma": s.chroma}
        s.valid = int(bool(i.valid and s.held))
        if s.valid:
            y, cb, cr = s.held
            s.pixels = i.y << bits | y
            if average:
                cb, cr = (cb + i.cb + bool(rounding)) >> 1, (cr + i.cr + bool(rounding)) >> 1
            s.chroma = cr << bits | cb if first_cb else cb << bits | cr
        if i.valid:
            s.held = None if s.held else (i.y, i.cb, i.cr)
        if i.line:
            s.held = None
        return out

    how = f"the mean of both pixels', rounded {'up' if rounding else 'down'}" if average else "that of the first pixel"
    return Draft(
        rtl=f"""
module chroma_subsampler #(
  parameter int BITS = {bits}
) (
  input logic clk,
  input logic rst,
  input logic line, // the next pixel starts a line
  input logic valid,
  input logic [BITS-1:0] y,
  input logic [BITS-1:0] cb,
  input logic [BITS-1:0] cr,
  output logic out_valid,
  output logic [2*BITS-1:0] pixels, // both values of brightness
  output logic [2*BITS-1:0] chroma
);
  logic [BITS-1:0] y_held, cb_held, cr_held;
  logic odd; // the second pixel of a pair is due
  {body}
endmodule
""",
        about=f"""Turns 4:4:4 pixels into 4:2:2: of each two pixels, which come with `valid`, the brightness of both is
            kept (`pixels`: the first one's `y` in the lower {bits} bits, the second one's above) and each colour
            difference is {how}. `chroma` has {one} in the lower half and {two} in the upper. Both follow in the cycle
            after the second pixel, with `out_valid` for one cycle, and stay. `line` makes the next pixel the first of
            a pair; a pixel in the same cycle still belongs to the line before.""",
        model=Machine(reset, step),
        names=("chroma_422", "yuv_subsample", "c444_to_c422"),
        stimulus={"valid": 0.8, "line": 0.08},
        cycles=140,
    )


@family(variants=3)
def colour_difference(r: Random, variant: int) -> Draft:
    """A lossless colour transform and its inverse, by lifting: YCoCg-R."""
    bits = r.choice((5, 6, 8))
    fancy = r.random() < 0.5
    three = (
        """
  // the three lifting steps
  assign co = $signed({1'b0, red}) - $signed({1'b0, blue});
  assign mean = $signed({1'b0, blue}) + (co >>> 1);
  assign cg = $signed({1'b0, green}) - mean;
  assign luma = mean + (cg >>> 1);
""",
        """
  function automatic logic signed [WIDTH:0] half(input logic signed [WIDTH:0] x);
    half = x >>> 1; // rounds down
  endfunction

  logic signed [WIDTH:0] r_wide, g_wide, b_wide; // with a sign

  always_comb begin
    r_wide = {1'b0, red};
    g_wide = {1'b0, green};
    b_wide = {1'b0, blue};

    co = r_wide - b_wide;
    mean = b_wide + half(co);
    cg = g_wide - mean;
    luma = mean + half(cg);
  end
""",
        """
  assign co = {1'b0, red} - {1'b0, blue};
  assign mean = {1'b0, blue} + {co[WIDTH], co[WIDTH:1]}; // halves keep their sign
  assign cg = {1'b0, green} - mean;
  assign luma = mean + {cg[WIDTH], cg[WIDTH:1]};
""",
    )[variant]
    valid_out = "out_valid <= valid;"
    together = f"""
  always_ff @(posedge clk) begin
    if (rst) begin
      out_valid <= 1'b0;
      out_y <= '0;
      out_co <= '0;
      out_cg <= '0;
    end else begin
      {valid_out}
      if (valid) begin
        out_y <= bypass ? {"{1'b0, green}" if fancy else "$signed({1'b0, green})"} : luma;
        out_co <= bypass ? $signed({{1'b0, red}}) : co;
        out_cg <= bypass ? $signed({{1'b0, blue}}) : cg;
      end
    end
  end
"""
    apart = """
  always_ff @(posedge clk) begin
    if (rst) out_valid <= 1'b0;
    else out_valid <= valid;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      {out_y, out_co, out_cg} <= '0;
    end else if (valid) begin
      if (bypass) begin // the colours as they are
        out_y <= {1'b0, green};
        out_co <= {1'b0, red};
        out_cg <= {1'b0, blue};
      end else begin
        out_y <= luma;
        out_co <= co;
        out_cg <= cg;
      end
    end
  end
"""
    body = three + (together if fancy else apart)

    def reset(s: State) -> None:
        s.valid, s.out = 0, (0, 0, 0)

    def step(s: State, i: Pins) -> Outputs:
        luma, co, cg = (to_bits(one, bits + 1) for one in s.out)
        out = {"out_valid": s.valid, "out_y": luma, "out_co": co, "out_cg": cg}
        s.valid = i.valid
        if i.valid:
            co = i.red - i.blue
            mean = i.blue + (co >> 1)
            cg = i.green - mean
            s.out = (i.green, i.red, i.blue) if i.bypass else (mean + (cg >> 1), co, cg)
        return out

    return Draft(
        rtl=f"""
module colour_difference #(
  parameter int WIDTH = {bits}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic bypass,
  input logic [WIDTH-1:0] red,
  input logic [WIDTH-1:0] green,
  input logic [WIDTH-1:0] blue,
  output logic out_valid,
  output logic signed [WIDTH:0] out_y,
  output logic signed [WIDTH:0] out_co,
  output logic signed [WIDTH:0] out_cg
);
  logic signed [WIDTH:0] co, cg, mean, luma;
  {body}
endmodule
""",
        about=f"""Lossless colour transform of {bits}-bit pixels by lifting. co is `red` minus `blue`; the mean is
            `blue` plus half of co; cg is `green` minus the mean; the brightness is the mean plus half of cg. Halves
            are rounded down (arithmetic shift). Results are signed, {bits + 1} bits, in `out_y`, `out_co` and
            `out_cg`, one cycle after `valid`, with `out_valid`, and stay until the next. A pixel with `bypass` is not
            transformed: green, red and blue go to `out_y`, `out_co` and `out_cg`.""",
        model=Machine(reset, step),
        names=("ycocg", "rgb_to_ycocg", "reversible_colour"),
        stimulus={"valid": 0.85, "bypass": 0.15},
    )


@family(variants=3)
def gamma_table(r: Random, variant: int) -> Draft:
    """A curve by straight pieces: the top bits choose the piece, the rest goes along it."""
    bits = r.choice((7, 8, 9))
    pieces = r.choice((4, 8))
    log = pieces.bit_length() - 1
    rest = bits - log
    top = (1 << bits) - 1
    exponent = r.choice((0.45, 0.5, 0.6, 1.8, 2.2))
    points = [round(top * (k / pieces) ** exponent) for k in range(pieces + 1)]
    slopes = [points[k + 1] - points[k] for k in range(pieces)]
    slope_bits = max(slopes).bit_length()
    inverts = r.random() < 0.5
    inverse = "  input logic invert, // the negative of the picture\n" if inverts else ""
    arms = "\n".join(
        f"      {log}'d{k}: begin\n        base = {points[k]};\n        slope = {slopes[k]};\n      end"
        for k in range(pieces)
    )
    bases = "".join(f"{points[k]:0{bits}b}" for k in reversed(range(pieces + 1)))
    chain = "\n".join(
        f"    {'if' if k == pieces - 1 else 'else if'} (din >= {k << rest}) {{base, slope}} ="
        f" {{{bits}'d{points[k]}, {slope_bits}'d{slopes[k]}}};"
        for k in range(pieces - 1, 0, -1)
    )
    select = (
        f"""
  // where the piece begins and how much it climbs
  always_comb begin
    base = {points[0]};
    slope = {slopes[0]};
    case (piece)
{arms}
      default: ;
    endcase
  end
""",
        f"""
  localparam logic [{bits * (pieces + 1) - 1}:0] POINTS = {bits * (pieces + 1)}'b{bases}; // the first one lowest

  assign base = POINTS[{bits} * piece +: {bits}];
  assign slope = POINTS[{bits} * (piece + 1) +: {bits}] - base;
""",
        f"""
  always_comb begin
{chain}
    else {{base, slope}} = {{{bits}'d{points[0]}, {slope_bits}'d{slopes[0]}}};
  end
""",
    )[variant]
    curve = "curved" if not inverts else "invert ? ~curved : curved"
    registers = (
        f"""
  always_ff @(posedge clk) begin
    if (rst) begin
      out_valid <= 1'b0;
      dout <= '0;
    end else begin
      out_valid <= valid;
      if (valid) dout <= {curve};
    end
  end
""",
        f"""
  always_ff @(posedge clk) begin
    if (rst) {{out_valid, dout}} <= '0;
    else if (valid) {{out_valid, dout}} <= {{1'b1, {f"curved ^ {{{bits}{{invert}}}}" if inverts else "curved"}}};
    else out_valid <= 1'b0;
  end
""",
        f"""
  always_ff @(posedge clk) begin
    if (rst) out_valid <= 1'b0;
    else out_valid <= valid;
  end

  always_ff @(posedge clk) begin
    if (rst) dout <= '0;
    else if (valid) dout <= {f"invert ? {top} - curved : curved" if inverts else "curved"};
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.valid = s.dout = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"out_valid": s.valid, "dout": s.dout}
        s.valid = i.valid
        if i.valid:
            piece, along = divmod(i.din, 1 << rest)
            s.dout = points[piece] + (slopes[piece] * along >> rest)
            if inverts and i.invert:
                s.dout = top - s.dout
        return out

    return Draft(
        rtl=f"""
module gamma_table (
  input logic clk,
  input logic rst,
  input logic valid,
{inverse}  input logic [{bits - 1}:0] din,
  output logic out_valid,
  output logic [{bits - 1}:0] dout
);
  logic [{log - 1}:0] piece;
  logic [{rest - 1}:0] along; // the way along the piece
  logic [{bits - 1}:0] base;
  logic [{slope_bits - 1}:0] slope;
  logic [{slope_bits + rest - 1}:0] climb;
  logic [{bits - 1}:0] curved;

  assign {{piece, along}} = din;
  {select}
  assign climb = slope * along;
  assign curved = base + climb[{slope_bits + rest - 1}:{rest}];
  {registers}
endmodule
""",
        about=f"""Gamma correction of {bits}-bit pixels by {pieces} straight pieces of {1 << rest} input values each. At
            the ends of the pieces, from 0 on, the curve has the values {", ".join(map(str, points))}. Within a piece
            the value is that of its beginning plus the climb of the piece (the next value minus this one) times the
            way along it (the lower {rest} bits of `din`) / {1 << rest}, rounded down.{
            f" With `invert`, {top} minus that value comes out." if inverts else ""
        } `dout` follows `valid` in the next cycle, with `out_valid`, and stays until the next pixel.""",
        model=Machine(reset, step),
        names=("gamma_lut", "tone_curve", "piecewise_linear"),
        stimulus={"valid": 0.9},
        cycles=150,
    )
