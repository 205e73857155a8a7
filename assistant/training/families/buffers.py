"""What holds words back for a while: banks that take turns, lines of pictures, transposition, writes on their way."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=3)
def ping_pong_buffer(r: Random, variant: int) -> Draft:
    """One bank is filled while the other one is read."""
    width, words = r.choice((4, 8, 12)), r.choice((4, 6, 8))
    bits = (words - 1).bit_length()
    order = r.choice(("same", "same", "reversed"))
    address = "rd_index" if order == "same" else "WORDS - 1 - rd_index"
    marks = r.random() < 0.5
    port = ",\n  output logic out_last // the last word of a bank" if marks else ""
    one_memory = """
  logic [WIDTH-1:0] mem [0:2*(1<<ADDR)-1]; // the bank is the upper bit of the address
  logic [1:0] filled;

  assign in_ready = !filled[wr_bank];
  assign out_valid = filled[rd_bank];

  // a bank is handed over with its last word, and given back with the last word read
  always_ff @(posedge clk) begin
    if (rst) begin
      filled <= 2'b00;
    end else begin
      if (put && wr_last) filled[wr_bank] <= 1'b1;
      if (take && rd_last) filled[rd_bank] <= 1'b0;
    end
  end

  always_ff @(posedge clk) begin
    if (put) mem[{wr_bank, wr_index}] <= din;
  end

  assign dout = mem[{rd_bank, rd_place}];
"""
    two_memories = """
  logic [WIDTH-1:0] ping [0:WORDS-1];
  logic [WIDTH-1:0] pong [0:WORDS-1];
  logic ping_full, pong_full;

  assign in_ready = wr_bank ? !pong_full : !ping_full;
  assign out_valid = rd_bank ? pong_full : ping_full;
  assign dout = rd_bank ? pong[rd_place] : ping[rd_place];

  always_ff @(posedge clk) begin
    if (put && !wr_bank) ping[wr_index] <= din;
  end

  always_ff @(posedge clk) begin
    if (put && wr_bank) pong[wr_index] <= din;
  end

  always_ff @(posedge clk) begin
    if (rst) ping_full <= 1'b0;
    else if (put && wr_last && !wr_bank) ping_full <= 1'b1;
    else if (take && rd_last && !rd_bank) ping_full <= 1'b0;
  end

  always_ff @(posedge clk) begin
    if (rst) pong_full <= 1'b0;
    else if (put && wr_last && wr_bank) pong_full <= 1'b1;
    else if (take && rd_last && rd_bank) pong_full <= 1'b0;
  end
"""
    counted = """
  logic [WIDTH-1:0] mem [0:1][0:WORDS-1];
  logic [1:0] banks_full; // how many

  assign in_ready = (banks_full != 2);
  assign out_valid = (banks_full != 0);
  assign dout = mem[rd_bank][rd_place];

  always_ff @(posedge clk) begin
    if (put) mem[wr_bank][wr_index] <= din;
  end

  // the writer adds a bank, the reader takes one away
  always_ff @(posedge clk) begin
    if (rst) begin
      banks_full <= '0;
    end else begin
      case ({put && wr_last, take && rd_last})
        2'b10: banks_full <= banks_full + 1'b1;
        2'b01: banks_full <= banks_full - 1'b1;
        default: ;
      endcase
    end
  end
"""
    body = (one_memory, two_memories, counted)[variant]

    def reset(s: State) -> None:
        s.banks, s.filling, s.read = [], [], 0

    def step(s: State, i: Pins) -> Outputs:
        ready, valid = len(s.banks) < 2, bool(s.banks)
        place = s.read if order == "same" else words - 1 - s.read
        out = {"in_ready": int(ready), "out_valid": int(valid), "dout": s.banks[0][place] if valid else None}
        if marks:
            out["out_last"] = int(s.read == words - 1) if valid else None
        if i.out_ready and valid:
            s.read += 1
            if s.read == words:
                s.read = 0
                s.banks.pop(0)
        if i.in_valid and ready:
            s.filling.append(i.din)
            if len(s.filling) == words:
                s.banks.append(s.filling)
                s.filling = []
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        s.fast = getattr(s, "fast", 1) ^ (r.random() < 0.04)
        return {
            "in_valid": int(r.random() < 0.9 - 0.4 * (1 - s.fast)),
            "out_ready": int(r.random() < 0.9 - 0.5 * s.fast),
        }

    turned = "" if order == "same" else " in reversed order"
    return Draft(
        rtl=f"""
module ping_pong_buffer #(
  parameter int WIDTH = {width},
  parameter int WORDS = {words}
) (
  input logic clk,
  input logic rst,
  input logic in_valid,
  output logic in_ready,
  input logic [WIDTH-1:0] din,
  output logic out_valid,
  input logic out_ready,
  output logic [WIDTH-1:0] dout{port}
);
  localparam int ADDR = {bits};
  logic [ADDR-1:0] wr_index, rd_index, rd_place;
  logic wr_bank, rd_bank, put, take, wr_last, rd_last;

  assign put = in_valid && in_ready;
  assign take = out_valid && out_ready;
  assign wr_last = (wr_index == WORDS - 1);
  assign rd_last = (rd_index == WORDS - 1);
  assign rd_place = {address};

  // each side changes the bank after its last word
  always_ff @(posedge clk) begin
    if (rst) begin
      wr_index <= '0;
      wr_bank <= 1'b0;
    end else if (put) begin
      wr_index <= wr_last ? 0 : wr_index + 1'b1;
      if (wr_last) wr_bank <= ~wr_bank;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      rd_index <= '0;
      rd_bank <= 1'b0;
    end else if (take) begin
      rd_index <= rd_last ? 0 : rd_index + 1'b1;
      if (rd_last) rd_bank <= ~rd_bank;
    end
  end
{body}{"  assign out_last = rd_last;" if marks else ""}
endmodule
""",
        about=(
            f"""Double buffer of two banks with {words} words of {width} bits. Words come in with `in_valid` and
            `in_ready` and fill one bank; a full bank is handed to the reader, which takes its words{turned} with
            `out_valid` and `out_ready`, and gives it back with the last one. `in_ready` is low while both banks are
            full, `out_valid` while none is.{" `out_last` marks the last word of a bank." if marks else ""}""",
            f"""Ping-pong memory: blocks of {words} words are written to two banks in turn and read{turned} from the
            other one. Writing goes on as long as its bank is not full; nothing of a bank can be read before it is.
            The outputs do not wait for a clock: `dout` is the word at the place of
            reading.{" `out_last` is high at the last place." if marks else ""}""",
        ),
        model=Machine(reset, step),
        names=("double_buffer", "bank_swapper", "block_buffer", "pingpong_ram"),
        drive=drive,
        cycles=220,
    )


@family(variants=2)
def line_buffer(r: Random, variant: int) -> Draft:
    """Three pixels above each other, from two lines that are kept."""
    width, columns = r.choice((4, 6, 8)), r.choice((4, 5, 6, 8))
    bits = (columns - 1).bit_length()
    kind = r.choice(("taps", "taps", "largest", "smallest", "smooth", "gradient"))
    late = r.random() < 0.5
    full = (1 << width) - 1
    if kind == "taps":
        port_width, combine = "3*WIDTH", "{upper, middle, pixel}"
    else:
        port_width = "WIDTH"
        combine = {
            "largest": "(higher > pixel) ? higher : pixel",
            "smallest": "(lower < pixel) ? lower : pixel",
            "smooth": "total[WIDTH+1:2]",
            "gradient": "(upper > pixel) ? upper - pixel : pixel - upper",
        }[kind]
    helper = {
        "largest": "\n  logic [WIDTH-1:0] higher;\n\n  assign higher = (upper > middle) ? upper : middle;\n",
        "smallest": "\n  logic [WIDTH-1:0] lower;\n\n  assign lower = (upper < middle) ? upper : middle;\n",
        "smooth": """
  logic [WIDTH+1:0] total;

  // the line in the middle counts twice
  assign total = upper + {middle, 1'b0} + pixel;
""",
    }.get(kind, "")
    cascade = """
  logic [WIDTH-1:0] newer [0:COLUMNS-1]; // the line before this one
  logic [WIDTH-1:0] older [0:COLUMNS-1]; // and the one before that

  assign middle = newer[column];
  assign upper = older[column];

  // each pixel pushes the one above it up a line
  always_ff @(posedge clk) begin
    if (valid) begin
      newer[column] <= pixel;
      older[column] <= middle;
    end
  end
"""
    turns = """
  logic [WIDTH-1:0] line_a [0:COLUMNS-1];
  logic [WIDTH-1:0] line_b [0:COLUMNS-1];
  logic odd; // lines go to the two memories in turn

  always_ff @(posedge clk) begin
    if (rst) odd <= 1'b0;
    else if (valid && line_end) odd <= ~odd;
  end

  // the memory that is being overwritten still holds the line before the last one
  assign upper = odd ? line_b[column] : line_a[column];
  assign middle = odd ? line_a[column] : line_b[column];

  always_ff @(posedge clk) begin
    if (valid && !odd) line_a[column] <= pixel;
    if (valid && odd) line_b[column] <= pixel;
  end
"""
    body = (cascade, turns)[variant]
    registered = """
  always_ff @(posedge clk) begin
    if (rst) begin
      out_valid <= 1'b0;
      dout <= '0;
    end else begin
      out_valid <= valid && (lines == 2);
      if (valid) dout <= combined;
    end
  end
"""
    direct = """
  assign out_valid = valid && (lines == 2);
  assign dout = combined;
"""

    def reset(s: State) -> None:
        s.pixels, s.column, s.lines, s.out_valid, s.dout = [[0] * columns for _ in range(2)], 0, 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        upper, middle, pixel = s.pixels[0][s.column], s.pixels[1][s.column], i.pixel
        value = {
            "taps": upper << 2 * width | middle << width | pixel,
            "largest": max(upper, middle, pixel),
            "smallest": min(upper, middle, pixel),
            "smooth": upper + 2 * middle + pixel >> 2,
            "gradient": abs(upper - pixel) & full,
        }[kind]
        good = int(i.valid and s.lines == 2)
        out = {"out_valid": good, "dout": value if good else None}
        if late:
            out = {"out_valid": s.out_valid, "dout": s.dout if s.out_valid else None}
        s.out_valid, s.dout = good, value
        if i.valid:
            s.pixels[0][s.column], s.pixels[1][s.column] = middle, pixel
            s.column += 1
            if s.column == columns:
                s.column, s.lines = 0, min(s.lines + 1, 2)
        return out

    gives = {
        "taps": "the pixel two lines above, the one above and the pixel itself, from the upper bits to the lower ones",
        "largest": "the largest of the pixel and the two above it",
        "smallest": "the smallest of the pixel and the two above it",
        "smooth": "a quarter of the sum of the pixel, twice the one above and the one two lines above, rounded down",
        "gradient": "the absolute difference of the pixel and the one two lines above",
    }[kind]
    return Draft(
        rtl=f"""
module line_buffer #(
  parameter int WIDTH = {width},
  parameter int COLUMNS = {columns}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic [WIDTH-1:0] pixel,
  output logic out_valid,
  output logic [{port_width}-1:0] dout
);
  logic [{bits - 1}:0] column;
  logic [1:0] lines; // complete ones, up to two
  logic [WIDTH-1:0] upper, middle;
  logic [{port_width}-1:0] combined;
  logic line_end;

  assign line_end = (column == COLUMNS - 1);

  always_ff @(posedge clk) begin
    if (rst) begin
      column <= '0;
      lines <= '0;
    end else if (valid) begin
      if (line_end) begin
        column <= '0;
        if (lines != 2) lines <= lines + 1'b1;
      end else begin
        column <= column + 1'b1;
      end
    end
  end
{body}{helper}
  assign combined = {combine};
{registered if late else direct}endmodule
""",
        about=(
            f"""Keeps two lines of {columns} pixels of {width} bits. Pixels come line by line, one in each cycle with
            `valid`. From the third line on, each gives a result with `out_valid`{
                " in the cycle after it" if late else " in the same cycle"
            }: `dout` is {gives}.""",
            f"""Vertical window of three lines for a picture of {columns} columns. `dout` gives, for each `pixel` with
            `valid`, {gives}. `out_valid` goes with it, but not in the first two
            lines after reset.{" Both are registered." if late else " There is no delay."}""",
        ),
        model=Machine(reset, step),
        names=("row_buffer", "vertical_window", "three_line_window", "video_line_store"),
        stimulus={"valid": 0.8},
        cycles=60 + 6 * columns,
    )


@family(variants=2)
def transpose_buffer(r: Random, variant: int) -> Draft:
    """Square blocks come in row by row and go out column by column."""
    width, bits = r.choice((4, 8, 10)), r.choice((1, 2))
    side = 1 << bits
    synced = r.random() < 0.5
    sync_port = "\n  input logic start, // the word of this cycle is the first of a block" if synced else ""
    in_place = """
  logic [WIDTH-1:0] mem [0:SIDE*SIDE-1];
  logic by_column; // how this block is written
  logic [2*ADDR-1:0] place;

  // each word takes the place of the one that goes out, so rows and columns change roles with every block
  assign place = by_column ? {place_column, place_row} : {place_row, place_column};
  assign dout = mem[place];

  always_ff @(posedge clk) begin
    if (valid) mem[place] <= din;
  end

  always_ff @(posedge clk) begin
    if (rst) by_column <= 1'b0;
    else if (valid && block_end) by_column <= ~by_column;
  end
"""
    two_banks = """
  logic [WIDTH-1:0] bank_a [0:SIDE*SIDE-1];
  logic [WIDTH-1:0] bank_b [0:SIDE*SIDE-1];
  logic side_b; // which bank is written

  always_ff @(posedge clk) begin
    if (rst) side_b <= 1'b0;
    else if (valid && block_end) side_b <= ~side_b;
  end

  always_ff @(posedge clk) begin
    if (valid) begin
      if (side_b) bank_b[{place_row, place_column}] <= din;
      else bank_a[{place_row, place_column}] <= din;
    end
  end

  // the other bank is read with row and column exchanged
  assign dout = side_b ? bank_a[{place_column, place_row}] : bank_b[{place_column, place_row}];
"""
    body = (in_place, two_banks)[variant]
    if synced:
        counter = """
  logic [2*ADDR-1:0] count, index;

  // a block that begins out of turn begins at the first place, over the unfinished one
  assign index = start ? 0 : count;
  assign place_row = index[2*ADDR-1:ADDR];
  assign place_column = index[ADDR-1:0];
  assign block_end = &index;

  always_ff @(posedge clk) begin
    if (rst) count <= '0;
    else if (valid) count <= index + 1'b1;
  end
"""
    else:
        counter = """
  assign block_end = (place_row == SIDE - 1) && (place_column == SIDE - 1);

  always_ff @(posedge clk) begin
    if (rst) begin
      place_row <= '0;
      place_column <= '0;
    end else if (valid) begin
      place_column <= place_column + 1'b1;
      if (place_column == SIDE - 1) place_row <= place_row + 1'b1;
    end
  end
"""

    def reset(s: State) -> None:
        s.old, s.new = None, []

    def step(s: State, i: Pins) -> Outputs:
        at = 0 if synced and i.start else len(s.new)
        row, column = divmod(at, side)
        place = column * side + row
        good = int(i.valid and s.old is not None)
        word = s.old[place] if good else None
        out = {"out_valid": good, "dout": word}
        if i.valid:
            s.new = [*s.new[:at], i.din]
            if variant == 0 and s.old is not None:
                s.old[place] = i.din
            if len(s.new) == side * side:
                s.old, s.new = s.new, []
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        return (
            {
                "valid": int(r.random() < 0.85),
                "start": int(not s.new if r.random() < 0.97 else r.random() < 0.3),
            }
            if synced
            else {"valid": int(r.random() < 0.8)}
        )

    begins = (
        " `start` with `valid` makes the word the first of a block, also where the one before is not complete"
        + ("; the words that have gone out by then are replaced by those that came in." if variant == 0 else ".")
        if synced
        else ""
    )
    return Draft(
        rtl=f"""
module transpose_buffer #(
  parameter int WIDTH = {width},
  parameter int ADDR = {bits}
) (
  input logic clk,
  input logic rst,
  input logic valid,{sync_port}
  input logic [WIDTH-1:0] din,
  output logic out_valid,
  output logic [WIDTH-1:0] dout
);
  localparam int SIDE = 1 << ADDR;
  logic [ADDR-1:0] place_row, place_column;
  logic block_end, primed;
{counter}{body}
  // the first block finds nothing to give
  always_ff @(posedge clk) begin
    if (rst) primed <= 1'b0;
    else if (valid && block_end) primed <= 1'b1;
  end

  assign out_valid = valid && primed;
endmodule
""",
        about=f"""Transposes blocks of {side} by {side} words of {width} bits. Words come row by row in the cycles with
            `valid`; in the same cycles `dout` gives the block before, column by column: the first row in is the first
            column out. `out_valid` is `valid`, except in the first block after reset.{begins} {
            "One memory serves: each word is written where the word that goes out was."
            if variant == 0
            else "There are two banks that change roles after each block."
        }""",
        model=Machine(reset, step),
        names=("transposer", "corner_turn", "block_transpose", "matrix_turner"),
        drive=drive,
        cycles=140,
    )


@family(variants=3)
def write_buffer(r: Random, variant: int) -> Draft:
    """Stores wait for the memory, and loads find the newest of them."""
    width, addr, depth = r.choice((4, 8, 16)), r.choice((3, 4, 6)), r.choice((2, 4, 4))
    ptr_bits = (depth - 1).bit_length()
    counting = r.random() < 0.4
    port = ",\n  output logic idle // nothing waits" if counting else ""
    shifting = f"""
  logic [{depth.bit_length() - 1}:0] count;
  logic [{depth.bit_length() - 1}:0] place;

  assign full = (count == DEPTH);
  assign drain_valid = (count != 0);
  assign drain_addr = addrs[0];
  assign drain_data = data[0];
  assign place = take ? count - 1'b1 : count;

  // the oldest store is always in front
  always_ff @(posedge clk) begin
    if (rst) count <= '0;
    else count <= count + put - take;
  end

  always_ff @(posedge clk) begin
    if (take) begin
      for (int k = 0; k < DEPTH - 1; k++) begin
        addrs[k] <= addrs[k+1];
        data[k] <= data[k+1];
      end
    end
    if (put) begin
      addrs[place] <= store_addr;
      data[place] <= store_data;
    end
  end

  // later matches are newer ones
  always_comb begin
    load_hit = 1'b0;
    load_data = '0;
    for (int k = 0; k < DEPTH; k++) begin
      if (k < count && addrs[k] == load_addr) begin
        load_hit = 1'b1;
        load_data = data[k];
      end
    end
  end
"""
    circular = f"""
  logic [{ptr_bits - 1}:0] head, tail, place;
  logic [DEPTH-1:0] used;

  assign full = &used;
  assign drain_valid = used[head];
  assign drain_addr = addrs[head];
  assign drain_data = data[head];

  always_ff @(posedge clk) begin
    if (rst) begin
      head <= '0;
      tail <= '0;
      used <= '0;
    end else begin
      if (take) begin
        used[head] <= 1'b0;
        head <= head + 1'b1;
      end
      if (put) begin
        used[tail] <= 1'b1;
        addrs[tail] <= store_addr;
        data[tail] <= store_data;
        tail <= tail + 1'b1;
      end
    end
  end

  // from the oldest to the newest, so that the newest match stays
  always_comb begin
    load_hit = 1'b0;
    load_data = '0;
    place = head;
    for (int k = 0; k < DEPTH; k++) begin
      if (used[place] && addrs[place] == load_addr) begin
        load_hit = 1'b1;
        load_data = data[place];
      end
      place = place + 1'b1;
    end
  end
"""
    newest_first = """
  logic [DEPTH-1:0] used, same_addr, last_used;

  // new stores enter at place 0 and push the others on; the oldest is the last one in use
  assign full = used[DEPTH-1];
  assign drain_valid = used[0];
  assign last_used = used & ~(used >> 1);

  always_comb begin
    drain_addr = '0;
    drain_data = '0;
    for (int k = 0; k < DEPTH; k++) begin
      same_addr[k] = used[k] && (addrs[k] == load_addr);
      if (last_used[k]) begin
        drain_addr = addrs[k];
        drain_data = data[k];
      end
    end
  end

  always_comb begin
    load_data = '0;
    for (int k = DEPTH - 1; k >= 0; k--) begin
      if (same_addr[k]) load_data = data[k];
    end
  end

  assign load_hit = |same_addr;

  always_ff @(posedge clk) begin
    if (rst) used <= '0;
    else if (put && !take) used <= {used[DEPTH-2:0], 1'b1};
    else if (take && !put) used <= used >> 1;
  end

  always_ff @(posedge clk) begin
    if (put) begin
      addrs[0] <= store_addr;
      data[0] <= store_data;
      for (int k = 1; k < DEPTH; k++) begin
        addrs[k] <= addrs[k-1];
        data[k] <= data[k-1];
      end
    end
  end
"""
    body = (shifting, circular, newest_first)[variant]

    def reset(s: State) -> None:
        s.stores = []

    def step(s: State, i: Pins) -> Outputs:
        full, some = len(s.stores) == depth, bool(s.stores)
        found = [data for place, data in s.stores if place == i.load_addr]
        out = {
            "full": int(full),
            "drain_valid": int(some),
            "drain_addr": s.stores[0][0] if some else None,
            "drain_data": s.stores[0][1] if some else None,
            "load_hit": int(bool(found)),
            "load_data": found[-1] if found else 0,
        }
        if counting:
            out["idle"] = int(not some)
        if i.drain_ready and some:
            s.stores.pop(0)
        if i.store and not full:
            s.stores.append((i.store_addr, i.store_data))
        return out

    few = [r.randrange(1 << addr) for _ in range(4)]
    return Draft(
        rtl=f"""
module write_buffer #(
  parameter int WIDTH = {width},
  parameter int ADDR = {addr},
  parameter int DEPTH = {depth}
) (
  input logic clk,
  input logic rst,
  input logic store,
  input logic [ADDR-1:0] store_addr,
  input logic [WIDTH-1:0] store_data,
  output logic full,
  input logic drain_ready, // the memory takes a word
  output logic drain_valid,
  output logic [ADDR-1:0] drain_addr,
  output logic [WIDTH-1:0] drain_data,
  input logic [ADDR-1:0] load_addr,
  output logic load_hit,
  output logic [WIDTH-1:0] load_data{port}
);
  logic [ADDR-1:0] addrs [0:DEPTH-1];
  logic [WIDTH-1:0] data [0:DEPTH-1];
  logic put, take;

  assign put = store && !full;
  assign take = drain_valid && drain_ready;
{body}{"  assign idle = !drain_valid;" if counting else ""}
endmodule
""",
        about=(
            f"""Write buffer for {depth} stores between a processor and its memory. `store` appends an address and
            a word unless `full`; the oldest one is offered with `drain_valid` on `drain_addr` and `drain_data` and
            leaves with
            `drain_ready`. A load looks at all waiting stores at once: `load_hit` says that one has `load_addr`, and
            `load_data` is the newest such word, else 0.{" `idle` is high while nothing waits." if counting else ""}""",
            f"""Queue of {depth} pending writes with address match. Writes go to memory in order, at most one a
            cycle,             when `drain_ready` is high. `load_hit` and `load_data` (0 without a hit) answer
            `load_addr` in the same cycle
            from the youngest entry with that address; the store of the same cycle does not count
            yet.{" `idle`: it is empty." if counting else ""}""",
        ),
        model=Machine(reset, step),
        names=("store_buffer", "store_queue", "posted_writes", "pending_stores"),
        stimulus={"store": 0.6, "drain_ready": 0.45, "store_addr": few, "load_addr": few},
        cycles=200,
    )


@family(variants=2)
def trace_buffer(r: Random, variant: int) -> Draft:
    """Records what happened before and after a trigger, and lets it be read by age."""
    width, bits = r.choice((4, 8)), r.choice((3, 4))
    depth = 1 << bits
    after = r.choice((depth // 4, depth // 2, depth - 2))
    pattern = r.random() < 0.5
    trigger = "(sample & mask) == (pattern & mask)" if pattern else "trigger"
    ports = (
        "  input logic [WIDTH-1:0] pattern,\n  input logic [WIDTH-1:0] mask, // the bits of the pattern that count\n"
        if pattern
        else "  input logic trigger,\n"
    )
    states = """
  typedef enum logic [1:0] {IDLE, ARMED, POST, DONE} state_t;
  state_t state;

  assign writing = valid && (state == ARMED || state == POST);
  assign done = (state == DONE);
  assign armed = (state == ARMED);

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      left <= '0;
    end else if (arm) begin
      state <= ARMED;
    end else if (valid) begin
      case (state)
        ARMED: if (hit) begin
          state <= POST;
          left <= AFTER;
        end
        POST: begin
          left <= left - 1'b1;
          if (left == 1) state <= DONE;
        end
        default: ; // idle or done: waits until it is armed
      endcase
    end
  end
"""
    flags = """
  logic running;

  assign writing = valid & (armed | running);

  always_ff @(posedge clk) begin
    if (rst) begin
      armed <= 1'b0;
      running <= 1'b0;
      done <= 1'b0;
      left <= '0;
    end else if (arm) begin
      armed <= 1'b1;
      running <= 1'b0;
      done <= 1'b0;
    end else if (valid && armed && hit) begin
      armed <= 1'b0;
      running <= 1'b1;
      left <= AFTER;
    end else if (valid && running) begin
      left <= left - 1'b1;
      running <= (left != 1);
      done <= (left == 1);
    end
  end
"""
    body = (states, flags)[variant]

    def reset(s: State) -> None:
        s.state, s.left, s.words = "idle", 0, [None] * depth

    def step(s: State, i: Pins) -> Outputs:
        out = {"dout": s.words[i.age], "done": int(s.state == "done"), "armed": int(s.state == "armed")}
        hit = i.sample & i.mask == i.pattern & i.mask if pattern else bool(i.trigger)
        if i.valid and s.state in ("armed", "post"):
            s.words = [i.sample, *s.words[:-1]]
        if i.arm:
            s.state = "armed"
        elif i.valid and s.state == "armed" and hit:
            s.state, s.left = "post", after
        elif i.valid and s.state == "post":
            s.left -= 1
            if s.left == 0:
                s.state = "done"
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        return {"arm": int(r.random() < (0.12 if s.state in ("idle", "done") else 0.01))}

    cause = "it equals `pattern` in the bits that are 1 in `mask`" if pattern else "`trigger` comes with it"
    return Draft(
        rtl=f"""
module trace_buffer #(
  parameter int WIDTH = {width},
  parameter int ADDR = {bits},
  parameter int AFTER = {after} // samples that are taken after the trigger
) (
  input logic clk,
  input logic rst,
  input logic arm,
  input logic valid,
  input logic [WIDTH-1:0] sample,
{ports}  input logic [ADDR-1:0] age, // 0: the newest
  output logic [WIDTH-1:0] dout,
  output logic armed,
  output logic done
);
  logic [WIDTH-1:0] mem [0:(1<<ADDR)-1];
  logic [ADDR-1:0] wr_ptr, rd_place;
  logic [ADDR-1:0] left;
  logic writing, hit;

  assign hit = {trigger};
{body}
  // the oldest sample is overwritten
  always_ff @(posedge clk) begin
    if (rst) wr_ptr <= '0;
    else if (writing) wr_ptr <= wr_ptr + 1'b1;
  end

  always_ff @(posedge clk) begin
    if (writing) mem[wr_ptr] <= sample;
  end

  assign rd_place = wr_ptr - 1'b1 - age;
  assign dout = mem[rd_place];
endmodule
""",
        about=f"""Trace memory of {depth} samples. `arm` starts recording (also again, at any time; a sample of that
            cycle is recorded if it was recording before, but is no trigger): each `sample` with `valid` is written to a
            ring. The first one while `armed`
            for which {cause} is the trigger; {after} more are recorded after it, then `done` is high and nothing is
            recorded until the next `arm`. `armed` is high until the trigger. `dout` shows without delay the sample
            recorded `age` samples before the newest.""",
        model=Machine(reset, step),
        names=("logic_analyser", "capture_ring", "history_recorder", "trigger_trace"),
        stimulus={
            "valid": 0.8,
            "trigger": 0.12,
            "mask": lambda r: 1 << r.randrange(width) | 1 << r.randrange(width) | 1 << r.randrange(width),
        },
        drive=drive,
        cycles=280,
    )


@family(variants=2)
def write_coalescer(r: Random, variant: int) -> Draft:
    """Gathers writes of single bytes into one write of a word."""
    lanes, addr, limit = r.choice((2, 4)), r.choice((3, 4)), r.choice((4, 6, 8))
    lane_bits = (lanes - 1).bit_length()
    limit_bits = (limit - 1).bit_length()
    timed, early = r.random() < 0.6, r.random() < 0.5
    reasons = ["flush"]
    if timed:
        reasons.append("old")
    if early:
        reasons.append("(&strobe)")
    leave = " || ".join(reasons)
    timer = f"""
  logic [{limit_bits - 1}:0] quiet;
  logic old;

  // nothing has been added for a while
  assign old = (quiet == LIMIT - 1);

  always_ff @(posedge clk) begin
    if (rst) quiet <= '0;
    else if (put || !out_valid_held) quiet <= '0;
    else if (!old) quiet <= quiet + 1'b1;
  end
"""
    one = """
  always_ff @(posedge clk) begin
    if (rst) begin
      strobe <= '0;
      word_addr <= '0;
      word <= '0;
    end else begin
      if (take) strobe <= '0;
      if (put) begin
        word_addr <= wr_addr[ADDR-1:LANE];
        word[8*lane +: 8] <= wr_data;
        strobe[lane] <= 1'b1; // also of a word that begins as the last one leaves
      end
    end
  end
"""
    split = """
  logic [LANES-1:0] marks, strobe_next;

  assign marks = put ? {{(LANES-1){1'b0}}, 1'b1} << lane : 0;
  assign strobe_next = (take ? '0 : strobe) | marks;

  always_ff @(posedge clk) begin
    if (rst) strobe <= '0;
    else strobe <= strobe_next;
  end

  always_ff @(posedge clk) begin
    if (rst) word_addr <= '0;
    else if (put) word_addr <= wr_addr[ADDR-1:LANE];
  end

  // each byte has its own enable
  for (genvar k = 0; k < LANES; k++) begin : gen_lane
    always_ff @(posedge clk) begin
      if (rst) word[8*k +: 8] <= '0;
      else if (marks[k]) word[8*k +: 8] <= wr_data;
    end
  end
"""
    body = (one, split)[variant]

    def reset(s: State) -> None:
        s.addr, s.bytes, s.marks, s.quiet = 0, [0] * lanes, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        held, lane, place = s.marks != 0, i.wr_addr % lanes, i.wr_addr // lanes
        other = i.wr and place != s.addr
        old = timed and s.quiet == limit - 1
        full = early and s.marks == (1 << lanes) - 1
        valid = held and (i.flush or old or full or other)
        take = valid and i.out_ready
        ready = not held or not other or take
        out = {
            "wr_ready": int(ready),
            "out_valid": int(valid),
            "out_addr": s.addr if held else None,
            "out_strobe": s.marks,
            "out_data": sum(byte << 8 * k for k, byte in enumerate(s.bytes)),
        }
        put = i.wr and ready
        s.quiet = 0 if put or not held else min(s.quiet + 1, limit - 1)
        if take:
            s.marks = 0
        if put:
            s.addr, s.bytes[lane] = place, i.wr_data
            s.marks |= 1 << lane
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if r.random() < 0.12 or not hasattr(s, "near"):
            s.near = r.randrange(1 << addr - lane_bits)
        if r.random() < 0.06 or not hasattr(s, "busy"):
            s.busy = r.random() < 0.7
        return {
            "wr": int(r.random() < (0.75 if s.busy else 0.08)),
            "wr_addr": s.near * lanes + r.randrange(lanes),
            "flush": int(r.random() < 0.04),
            "out_ready": int(r.random() < 0.6),
        }

    causes = ["`flush` is high", "a write to another word is waiting"]
    if timed:
        causes.append(f"no byte has come for {limit - 1} cycles")
    if early:
        causes.append("all its bytes have come")
    limit_line = f",\n  parameter int LIMIT = {limit}" if timed else ""
    return Draft(
        rtl=f"""
module write_coalescer #(
  parameter int ADDR = {addr},
  parameter int LANE = {lane_bits}{limit_line}
) (
  input logic clk,
  input logic rst,
  input logic wr,
  output logic wr_ready,
  input logic [ADDR-1:0] wr_addr, // of a byte
  input logic [7:0] wr_data,
  input logic flush,
  output logic out_valid,
  input logic out_ready,
  output logic [ADDR-LANE-1:0] out_addr, // of a word
  output logic [(1<<LANE)-1:0] out_strobe,
  output logic [8*(1<<LANE)-1:0] out_data
);
  localparam int LANES = 1 << LANE;
  logic [LANES-1:0] strobe;
  logic [ADDR-LANE-1:0] word_addr;
  logic [8*LANES-1:0] word;
  logic [LANE-1:0] lane;
  logic out_valid_held, other_word, put, take;

  assign lane = wr_addr[LANE-1:0];
  assign out_valid_held = (strobe != 0);
  assign other_word = wr && (wr_addr[ADDR-1:LANE] != word_addr);

  // the word leaves when there is a reason to
  assign out_valid = out_valid_held && ({leave} || other_word);
  assign take = out_valid && out_ready;

  // a byte fits into the word that is held, or into an empty one
  assign wr_ready = !out_valid_held || !other_word || take;
  assign put = wr && wr_ready;

  assign out_addr = word_addr;
  assign out_strobe = strobe;
  assign out_data = word;
{timer if timed else ""}{body}endmodule
""",
        about=f"""Combines writes of bytes into writes of words of {lanes} bytes. A byte is taken with `wr` and
            `wr_ready` and put into the word that is held, where its bit of `out_strobe` is set; a later byte for the
            same place replaces it. The word is offered (`out_valid`) while it has any byte and {", or ".join(causes)}.
            It leaves with `out_ready`, which clears `out_strobe`; a byte taken in that cycle begins the next word.
            `wr_ready` is low only for a byte of another word than the one held, in a cycle in which that does not
            leave. `out_data` keeps old bytes where they are not marked; it is 0 at first.""",
        model=Machine(reset, step),
        names=("byte_gatherer", "write_combiner", "merge_buffer", "combining_buffer"),
        drive=drive,
        cycles=260,
    )


@family(variants=2)
def shadow_registers(r: Random, variant: int) -> Draft:
    """Settings are prepared one by one and take effect together, at the right moment."""
    width = r.choice((4, 8, 12))
    names = r.sample(("period", "duty", "phase", "limit", "gain", "offset"), r.choice((2, 3, 4)))
    initial = {name: r.choice((0, 0, 1, (1 << width) - 1)) for name in names}
    bypass, undo = r.random() < 0.4, r.random() < 0.4
    bits = (len(names) - 1).bit_length()
    last = len(names) - 1
    prepared = ", ".join(f"{name}_new" for name in names)
    writes = "\n".join(f"        {bits}'d{k}: {name}_new <= wdata;" for k, name in enumerate(names))
    separate = "\n".join(
        f"""
  always_ff @(posedge clk) begin
    if (rst) {name}_new <= {width}'d{initial[name]};
    else if (wr && sel == {bits}'d{k}) {name}_new <= wdata;{
            f'''
    else if (restore) {name}_new <= {name};'''
            if undo
            else ""
        }
  end"""
        for k, name in enumerate(names)
    )
    starts = "\n".join(f"      {name}_new <= {width}'d{initial[name]};" for name in names)
    back = "\n".join(f"        {name}_new <= {name};" for name in names)
    together = f"""
  always_ff @(posedge clk) begin
    if (rst) begin
{starts}
    end else begin
{
        f'''      if (restore) begin
{back}
      end'''
        if undo
        else ""
    }
      if (wr) begin
        case (sel)
{writes}
          default: ;
        endcase
      end
    end
  end
"""
    live_starts = "\n".join(f"      {name} <= {width}'d{initial[name]};" for name in names)
    live = "\n".join(f"      {name} <= {name}_new;" for name in names)
    now = "sync || immediate" if bypass else "sync"
    read_cases = "\n".join(f"      {bits}'d{k}: rdata = {name}_new;" for k, name in enumerate(names))
    chain = " : ".join(f"(sel == {bits}'d{k}) ? {name}_new" for k, name in enumerate(names))
    read = (
        f"""
  always_comb begin
    case (sel)
{read_cases}
      default: rdata = '0;
    endcase
  end
""",
        f"  assign rdata = {chain} : 0;\n",
    )[variant]
    pending = (
        """
  // a request of the very cycle of the update waits for the next one
  always_ff @(posedge clk) begin
    if (rst) pending <= 1'b0;
    else if (commit) pending <= 1'b1;
    else if (update) pending <= 1'b0;
  end
""",
        """
  always_ff @(posedge clk) begin
    if (rst) pending <= 1'b0;
    else pending <= commit | (pending & ~update); // a new request outlives the update
  end
""",
    )[variant]
    ports = "".join(f"\n  input logic {p}," for p, has in (("immediate", bypass), ("restore", undo)) if has)
    outputs = ",\n".join(f"  output logic [WIDTH-1:0] {name}" for name in names)

    def reset(s: State) -> None:
        s.new, s.live, s.pending = dict(initial), dict(initial), 0

    def step(s: State, i: Pins) -> Outputs:
        word = s.new[names[i.sel]] if i.sel <= last else 0
        out = {"rdata": word, "pending": s.pending, **s.live}
        update = s.pending and (i.sync or (bypass and i.immediate))
        new, live = dict(s.new), dict(s.live)
        if undo and i.restore:
            s.new = dict(live)
        if i.wr and i.sel <= last:
            s.new[names[i.sel]] = i.wdata
        if update:
            s.live = new
        s.pending = int(i.commit or (s.pending and not update))
        return out

    listing = ", ".join(f"{k} `{name}`" for k, name in enumerate(names))
    starting = ", ".join(f"{initial[name]} for `{name}`" for name in names)
    return Draft(
        rtl=f"""
module shadow_registers #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic wr,
  input logic [{bits - 1}:0] sel,
  input logic [WIDTH-1:0] wdata,
  input logic commit, // the prepared values are complete
  input logic sync, // the moment at which they may change{ports}
  output logic [WIDTH-1:0] rdata,
  output logic pending,
{outputs}
);
  logic [WIDTH-1:0] {prepared};
  logic update;

  assign update = pending && ({now});

  // what is written waits beside the values in use
{(together, separate)[variant]}{pending}
  // all change in the same cycle
  always_ff @(posedge clk) begin
    if (rst) begin
{live_starts}
    end else if (update) begin
{live}
    end
  end
{read}endmodule
""",
        about=f"""Double-buffered settings of {width} bits: {listing}. `wr` stores `wdata` as the prepared value that
            `sel` chooses; `rdata` shows the prepared value that `sel` chooses, without delay (0 where there is none).
            `commit` makes an update `pending`; at the next `sync`{
            " or `immediate`" if bypass else ""
        } after that cycle all prepared values of that moment go to the outputs together, and `pending` falls, unless
            `commit` comes again in the same cycle.{
            " `restore` copies all values in use back to the prepared ones; a write in the same cycle goes before."
            if undo
            else ""
        } After reset both sets are {starting}.""",
        model=Machine(reset, step),
        names=("double_buffered_registers", "config_shadow", "preload_registers", "synchronous_update"),
        stimulus={"wr": 0.5, "commit": 0.2, "sync": 0.25, "immediate": 0.08, "restore": 0.08},
        cycles=160,
    )
