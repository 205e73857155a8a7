"""Between a processor and its memory: addresses, lanes, rights and accesses that must not be interrupted."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family
from veriloop.assistant.training.numerals import to_bits, to_signed

_SIZES = ("BYTE", "HALF", "WORD")


def _size_constants(codes: dict[str, int]) -> str:
    return "\n".join(f"  localparam logic [1:0] {name} = 2'd{code};" for name, code in codes.items())


@family(variants=3)
def load_aligner(r: Random, variant: int) -> Draft:
    """Picks a byte, half or word out of a memory word and extends it."""
    codes = dict(zip(_SIZES, r.sample(range(4), 3) if r.random() < 0.5 else (0, 1, 2), strict=True))
    big = r.random() < 0.4  # the byte with the lowest address stands at the top
    picks = [3 - k if big else k for k in range(4)]
    arms = "\n".join(f"      2'd{k}: byte_lane = rdata[{8 * p + 7}:{8 * p}];" for k, p in enumerate(picks))
    halves = ("rdata[15:0]", "rdata[31:16]") if big else ("rdata[31:16]", "rdata[15:0]")
    cased = f"""
  logic [7:0] byte_lane;
  logic [15:0] half_lane;

  always_comb begin
    case (addr)
{arms}
      default: byte_lane = 8'h00;
    endcase
  end

  assign half_lane = addr[1] ? {halves[0]} : {halves[1]};

  // extension: zeros or copies of the sign
  always_comb begin
    case (size)
      BYTE: result = {{{{24{{byte_lane[7] & is_signed}}}}, byte_lane}};
      HALF: result = {{{{16{{half_lane[15] & is_signed}}}}, half_lane}};
      default: result = rdata;
    endcase
  end

  assign misaligned = (size == HALF) ? addr[0] : (size == WORD) ? (addr != 0) : 1'b0;
"""
    inverted = "~" if big else ""
    half_place = "!addr[1]" if big else "addr[1]"
    shifted = f"""
  logic [4:0] amount;
  logic [31:0] moved;
  logic sign;

  // the wanted bytes are moved to the bottom
  always_comb begin
    case (size)
      BYTE: amount = {{{inverted}addr, 3'b000}};
      HALF: amount = {{{half_place}, 4'b0000}};
      default: amount = 5'd0;
    endcase
  end

  assign moved = rdata >> amount;
  assign sign = is_signed && ((size == BYTE) ? moved[7] : moved[15]);

  always_comb begin
    result = moved;
    if (size == BYTE) result[31:8] = {{24{{sign}}}};
    else if (size == HALF) result[31:16] = {{16{{sign}}}};
  end

  always_comb begin
    misaligned = 1'b0;
    if (size == WORD && addr != 2'd0) misaligned = 1'b1;
    if (size == HALF && addr[0]) misaligned = 1'b1;
  end
"""
    lanes = ", ".join(f"rdata[{8 * p + 7}:{8 * p}]" for p in reversed(picks))
    odd, even = "addr[1] ? ordered[31:24] : ordered[15:8]", "addr[1] ? ordered[23:16] : ordered[7:0]"
    top, bottom = (even, odd) if big else (odd, even)
    looked = f"""
  logic [31:0] ordered; // the byte with the lowest address at the bottom
  logic [7:0] lower;
  logic [7:0] upper;
  logic fill;

  assign ordered = {{{lanes}}};
  assign lower = ordered[{{addr, 3'b000}} +: 8];
  assign upper = {top};

  always_comb begin
    fill = 1'b0;
    if (size == BYTE) begin
      fill = is_signed & lower[7];
      result = {{{{24{{fill}}}}, lower}};
    end else if (size == HALF) begin
      fill = is_signed & upper[7];
      result = {{{{16{{fill}}}}, upper, {bottom}}};
    end else begin
      result = rdata;
    end
  end

  assign misaligned = (size == HALF && addr[0]) || (size == WORD && |addr);
"""
    body = (cased, shifted, looked)[variant]

    def model(i: Pins) -> Outputs:
        name = next((one for one in _SIZES if codes[one] == i.size), "")
        whole = i.rdata
        if name == "BYTE":
            bits = 8
            value = whole >> (8 * picks[i.addr]) & 255
        elif name == "HALF":
            bits = 16
            value = whole >> (16 * ((i.addr >> 1) ^ big)) & 0xFFFF
        else:
            bits, value = 32, whole
        if i.is_signed:
            value = to_bits(to_signed(value, bits), 32)
        wrong = (name == "HALF" and i.addr & 1) or (name == "WORD" and i.addr)
        return {"result": value, "misaligned": int(bool(wrong))}

    sizes = ", ".join(f"{code} {name.lower()}" for name, code in sorted(codes.items(), key=lambda pair: pair[1]))
    order = "highest" if big else "lowest"
    return Draft(
        rtl=f"""
module load_aligner (
  input logic [31:0] rdata, // the word that the memory gave
  input logic [1:0] addr, // the lowest bits of the address
  input logic [1:0] size,
  input logic is_signed,
  output logic [31:0] result,
  output logic misaligned
);
{_size_constants(codes)}
  {body}
endmodule
""",
        about=f"""Aligns what a load reads, without a clock. `rdata` is the memory's 32-bit word, {
            "big" if big else "little"
        }-endian: the byte with address 0 stands in its {order} bits, the half with address 0 in its {order} 16. `addr`
            is the address within the word, `size` is {sizes}; the remaining code means the word, too. `result` is the
            chosen byte or half (bit 0 of `addr` is ignored for a half, both bits for a word) at the bottom, extended
            with its sign if `is_signed`, else with zeros. `misaligned` is high for a half at an odd address and for a
            word (by its own code) at an address other than 0.""",
        model=model,
        names=("load_align", "load_extend", "lsu_read_align", "read_aligner"),
        stimulus={"size": range(4), "addr": range(4), "rdata": lambda r: r.getrandbits(32)},
        cycles=140,
    )


@family(variants=3)
def store_aligner(r: Random, variant: int) -> Draft:
    """Puts store data onto its byte lanes and says which lanes count."""
    codes = dict(zip(_SIZES, r.sample(range(4), 3) if r.random() < 0.5 else (0, 1, 2), strict=True))
    big = r.random() < 0.4
    copies = r.random() < 0.5  # unused lanes carry copies, not zeros
    order = "3 - " if big else ""
    first = {k: format(8 >> k if big else 1 << k, "04b") for k in range(4)}
    half = ("0011", "1100") if big else ("1100", "0011")
    arms = "\n".join(f"          2'd{k}: be = 4'b{first[k]};" for k in range(3))
    spread = """
  // every lane gets a copy; `be` says which one counts
  always_comb begin
    case (size)
      BYTE: lanes = {4{wdata[7:0]}};
      HALF: lanes = {2{wdata[15:0]}};
      default: lanes = wdata;
    endcase
  end
"""
    selected = f"""
  always_comb begin
    be = 4'b0000;
    if (wr && !misaligned) begin
      case (size)
        BYTE: case (addr)
{arms}
          default: be = 4'b{first[3]};
        endcase
        HALF: be = addr[1] ? 4'b{half[0]} : 4'b{half[1]};
        default: be = 4'b1111;
      endcase
    end
  end
"""
    each = f"""
  for (genvar k = 0; k < 4; k++) begin : gen_lane
    assign lanes[8*k +: 8] = (size == BYTE) ? wdata[7:0]
                           : (size == HALF) ? wdata[8*(k % 2) +: 8]
                           : wdata[8*k +: 8];
    assign be[k] = store && ((size == BYTE) ? (addr == {order}k)
                           : (size == HALF) ? (addr[1] == ({order}k) / 2)
                           : 1'b1);
  end
"""
    place = "~addr" if big else "addr"
    moved = f"""
  logic [1:0] lowest; // the lowest lane that takes part
  logic [3:0] wanted;

  always_comb begin
    lowest = 2'd0;
    wanted = 4'b1111;
    lanes = wdata;
    if (size == BYTE) begin
      lowest = {place};
      wanted = 4'b0001;
      lanes = {{4{{wdata[7:0]}}}};
    end else if (size == HALF) begin
      lowest = {{{"~" if big else ""}addr[1], 1'b0}};
      wanted = 4'b0011;
      lanes = {{wdata[15:0], wdata[15:0]}};
    end
  end

  assign be = store ? wanted << lowest : 4'b0000;
"""
    store = "  logic store;\n\n  assign store = wr & ~misaligned;\n"
    body = (spread + selected, store + each, store + moved)[variant]
    if copies:
        end = "\n  assign mem_wdata = lanes;\n"
    else:
        end = """
  // lanes that are not written carry zeros
  always_comb begin
    for (int i = 0; i < 4; i++) mem_wdata[8*i +: 8] = be[i] ? lanes[8*i +: 8] : 8'h00;
  end
"""

    def model(i: Pins) -> Outputs:
        name = next((one for one in _SIZES if codes[one] == i.size), "")
        wrong = bool((name == "HALF" and i.addr & 1) or (name == "WORD" and i.addr))
        if name == "BYTE":
            data, used = (i.wdata & 255) * 0x01010101, [i.addr]
        elif name == "HALF":
            data, used = (i.wdata & 0xFFFF) * 0x00010001, [i.addr & 2, i.addr | 1]
        else:
            data, used = i.wdata, [0, 1, 2, 3]
        be = sum(1 << (3 - k if big else k) for k in used) if i.wr and not wrong else 0
        if not copies:
            data &= sum(255 << (8 * k) for k in range(4) if be >> k & 1)
        return {"be": be, "mem_wdata": data, "misaligned": int(wrong)}

    sizes = ", ".join(f"{code} {name.lower()}" for name, code in sorted(codes.items(), key=lambda pair: pair[1]))
    other = "other lanes are 0" if not copies else "a byte is on all lanes and a half on both, enabled or not"
    return Draft(
        rtl=f"""
module store_aligner (
  input logic wr,
  input logic [1:0] addr,
  input logic [1:0] size,
  input logic [31:0] wdata, // what is stored, at the bottom
  output logic [3:0] be, // bit 0 belongs to the lowest byte of the word
  output logic [31:0] mem_wdata,
  output logic misaligned
);
{_size_constants(codes)}
  logic [31:0] lanes;

  assign misaligned = ((size == HALF) && addr[0]) || ((size == WORD) && (addr != 2'd0));
  {body}{end}
endmodule
""",
        about=f"""Prepares stores for a 32-bit {"big" if big else "little"}-endian memory with byte enables, without a
            clock: the byte with address 0 stands in the {"highest" if big else "lowest"} bits of the word. `size` is {
            sizes
        }; the remaining code means the word, too. A byte (the lowest of `wdata`), a half (its lowest 16 bits) or a word
            goes to its place in `mem_wdata` by the address within the word, `addr`; {other}. `be` marks the bytes
            that are written: none without `wr` or when `misaligned`, which is high for a half at an odd address and for
            a word (by its own code) at an address other than 0, whether or not there is a write.""",
        model=model,
        names=("store_align", "write_aligner", "lsu_write_align", "byte_lanes"),
        stimulus={"wr": 0.9, "size": range(4), "addr": range(4), "wdata": lambda r: r.getrandbits(32)},
        cycles=140,
    )


@family(variants=2)
def address_generator(r: Random, variant: int) -> Draft:
    """Pointers of a signal processor: post-increment, post-decrement, indexed and circular."""
    width = r.choice((8, 10, 12))
    offset = r.choice((4, 5))
    mask = (1 << width) - 1
    stride = r.choice((1, 2, 4))
    order = r.sample(("PLAIN", "POST_INC", "POST_DEC", "INDEXED", "CIRCULAR", "PRE_DEC"), 6)
    constants = "\n".join(f"  localparam logic [2:0] {one} = 3'd{k};" for k, one in enumerate(order))
    arms = {
        "PLAIN": ("ptr", "ptr"),
        "POST_INC": ("ptr", "ptr + STRIDE"),
        "POST_DEC": ("ptr", "ptr - STRIDE"),
        "INDEXED": ("ptr + index", "ptr"),
        "CIRCULAR": ("ptr", "(ptr == limit) ? first : ptr + STRIDE"),
        "PRE_DEC": ("ptr - STRIDE", "ptr - STRIDE"),
    }
    lines = "\n".join(
        f"      {one}: begin\n        addr = {arms[one][0]};\n        ptr_next = {arms[one][1]};\n      end"
        for one in order
    )
    both = f"""
  // the address that goes out now, and the pointer that stays behind
  always_comb begin
    case (mode)
{lines}
      default: begin
        addr = ptr;
        ptr_next = ptr;
      end
    endcase
  end
"""
    split = """
  logic [WIDTH-1:0] step_size, moved;
  logic wraps, keeps;

  // one adder moves the pointer, up or down
  assign step_size = (mode == POST_DEC || mode == PRE_DEC) ? -STRIDE : STRIDE;
  assign moved = ptr + step_size;

  assign wraps = (mode == CIRCULAR) && (ptr == limit);
  assign keeps = (mode == PLAIN) || (mode == INDEXED) || (mode > 3'd5);
  assign ptr_next = wraps ? first : keeps ? ptr : moved;

  always_comb begin
    addr = ptr;
    if (mode == INDEXED) addr = ptr + index;
    else if (mode == PRE_DEC) addr = moved;
  end
"""
    body = (both, split)[variant]

    def reset(s: State) -> None:
        s.ptr, s.first, s.limit = [0, 0], 0, mask

    def step(s: State, i: Pins) -> Outputs:
        ptr = s.ptr[i.sel]
        name = order[i.mode] if i.mode < 6 else "PLAIN"
        addr, after = ptr, ptr
        if name == "POST_INC":
            after = ptr + stride
        elif name == "POST_DEC":
            after = ptr - stride
        elif name == "INDEXED":
            addr = ptr + to_signed(i.offset, offset)
        elif name == "CIRCULAR":
            after = s.first if ptr == s.limit else ptr + stride
        elif name == "PRE_DEC":
            addr = after = ptr - stride
        out = {"addr": addr & mask, "wrapped": int(bool(i.en and name == "CIRCULAR" and ptr == s.limit))}
        if i.load:
            match i.load_sel:
                case 0 | 1:
                    s.ptr[i.load_sel] = i.din
                case 2:
                    s.first = i.din
                case _:
                    s.limit = i.din
        elif i.en:
            s.ptr[i.sel] = after & mask
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        value = r.choice((r.getrandbits(width), (s.ptr[0] + stride * r.randrange(1, 4)) & mask, s.ptr[1]))
        if r.random() < 0.12:
            return {"load": 1, "load_sel": 3, "din": (s.ptr[r.randrange(2)] + stride * r.randrange(3)) & mask}
        return {
            "din": value,
            "mode": r.choice((*range(6), *range(8), order.index("CIRCULAR"), order.index("CIRCULAR"))),
        }

    says = {
        "PLAIN": "the pointer, which stays",
        "POST_INC": f"the pointer, which then grows by {stride}",
        "POST_DEC": f"the pointer, which then shrinks by {stride}",
        "INDEXED": "the pointer plus the signed `offset`; the pointer stays",
        "CIRCULAR": f"the pointer, which then grows by {stride} or, if it equals the limit, becomes the first address",
        "PRE_DEC": f"the pointer less {stride}, which is also its new value",
    }
    listing = "; ".join(f"{k} {says[one]}" for k, one in enumerate(order))
    return Draft(
        rtl=f"""
module address_generator #(
  parameter int WIDTH = {width},
  parameter int STRIDE = {stride}
) (
  input logic clk,
  input logic rst,
  input logic load,
  input logic [1:0] load_sel,
  input logic [WIDTH-1:0] din,
  input logic en, // an access takes place
  input logic sel, // one of two pointers
  input logic [2:0] mode,
  input logic [{offset - 1}:0] offset,
  output logic [WIDTH-1:0] addr,
  output logic wrapped
);
{constants}
  logic [WIDTH-1:0] ptr_a, ptr_b, first, limit;
  logic [WIDTH-1:0] ptr, ptr_next, index;

  assign ptr = sel ? ptr_b : ptr_a;
  assign index = {{{{(WIDTH-{offset}){{offset[{offset - 1}]}}}}, offset}};
  {body}
  assign wrapped = en && (mode == CIRCULAR) && (ptr == limit);

  always_ff @(posedge clk) begin
    if (rst) begin
      ptr_a <= '0;
      ptr_b <= '0;
    end else if (load) begin
      // loading goes before moving
      if (load_sel == 2'd0) ptr_a <= din;
      if (load_sel == 2'd1) ptr_b <= din;
    end else if (en) begin
      if (sel) ptr_b <= ptr_next;
      else ptr_a <= ptr_next;
    end
  end

  // ends of the circular buffer
  always_ff @(posedge clk) begin
    if (rst) begin
      first <= '0;
      limit <= {{WIDTH{{1'b1}}}};
    end else if (load) begin
      case (load_sel)
        2'd2: first <= din;
        2'd3: limit <= din;
        default: ;
      endcase
    end
  end
endmodule
""",
        about=f"""Address generator with two {width}-bit pointers, of which `sel` chooses one. `addr` follows without
            delay from the chosen pointer, by `mode`: {listing}; 6 and 7 as PLAIN, {order.index("PLAIN")}. The pointer
            moves at the clock edge, only with `en` and without `load`. `load` writes `din`: `load_sel` 0 and 1 the
            pointers (1 is the one of `sel` high), 2 the first address and 3 the limit of the circular buffer. All start
            at 0, the limit with all bits set. `wrapped` is high while an access with `en` is about to wrap around.""",
        model=Machine(reset, step),
        names=("agu", "addr_gen", "dsp_agu", "pointer_unit"),
        stimulus={"load": 0.2, "load_sel": (0, 0, 1, 1, 2, 3), "en": 0.9},
        drive=drive,
        cycles=250,
    )


@family(variants=3)
def protection_unit(r: Random, variant: int) -> Draft:
    """Checks each access against programmable regions."""
    regions = r.choice((2, 3, 4))
    width = r.choice((6, 8))
    low_first = r.random() < 0.6
    allow = r.random() < 0.5  # what happens outside of all regions in privileged mode
    bits = 2 if regions > 2 else 1
    down, up = "int i = REGIONS - 1; i >= 0; i--", "int i = 0; i < REGIONS; i++"
    last_wins, first_wins = (down, up) if low_first else (up, down)
    outside = "privileged" if allow else "1'b0"
    looped = f"""
  // the region that counts is found last
  always_comb begin
    hit = 1'b0;
    right = 3'b000;
    for ({last_wins}) begin
      if (active[i] && page >= base[i] && page <= limit[i]) begin
        hit = 1'b1;
        right = rights[i];
      end
    end
  end

  always_comb begin
    if (!hit) allowed = {outside};
    else if (fetch) allowed = right[2];
    else if (wr) allowed = right[1];
    else allowed = right[0];
  end
"""
    order = range(regions) if low_first else range(regions - 1, -1, -1)
    chain = "\n".join(
        f"    {'if' if n == 0 else 'else if'} (inside[{k}]) right = rights[{k}];" for n, k in enumerate(order)
    )
    matched = f"""
  logic [REGIONS-1:0] inside_all;
  logic [2:0] kind; // one hot: fetch, write, read

  for (genvar k = 0; k < REGIONS; k++) begin : gen_region
    assign inside_all[k] = active[k] && (page >= base[k]) && (page <= limit[k]);
  end

  assign hit = |inside_all;
  assign kind = {{fetch, wr & ~fetch, ~wr & ~fetch}};

  always_comb begin
    right = 3'b000;
{chain.replace("inside[", "inside_all[")}
  end

  assign allowed = hit ? |(right & kind) : {outside};
"""
    searched = f"""
  logic found;

  always_comb begin
    found = 1'b0;
    right = {{3{{{outside}}}}}; // outside of all regions
    for ({first_wins}) begin
      if (!found && active[i] && !(page < base[i]) && !(page > limit[i])) begin
        found = 1'b1;
        right = rights[i];
      end
    end
  end

  assign hit = found;
  assign allowed = fetch ? right[2] : wr ? right[1] : right[0];
"""
    body = (looped, matched, searched)[variant]

    def reset(s: State) -> None:
        s.base, s.limit, s.rights, s.active = [0] * regions, [0] * regions, [0] * regions, [0] * regions
        s.fault, s.fault_page = 0, 0

    def step(s: State, i: Pins) -> Outputs:
        order = range(regions) if low_first else range(regions - 1, -1, -1)
        found = next((k for k in order if s.active[k] and s.base[k] <= i.page <= s.limit[k]), None)
        kind = 2 if i.fetch else 1 if i.wr else 0
        allowed = bool(allow and i.privileged) if found is None else bool(s.rights[found] >> kind & 1)
        out = {
            "hit": int(found is not None),
            "allowed": int(allowed),
            "fault": s.fault,
            "fault_page": s.fault_page,
        }
        if i.access and not allowed and not s.fault:
            s.fault, s.fault_page = 1, i.page
        elif i.clear:
            s.fault = 0
        if i.cfg_wr and i.privileged and i.cfg_index < regions:
            k = i.cfg_index
            s.base[k], s.limit[k], s.rights[k], s.active[k] = i.cfg_base, i.cfg_limit, i.cfg_rights, i.cfg_active
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        edges = [page + d for page in (*s.base, *s.limit) for d in (-1, 0, 1)]
        low = r.getrandbits(width)
        top = min((1 << width) - 1, low + r.randrange(1 << (width - 1)))
        return {
            "page": r.choice((*edges, r.getrandbits(width), r.getrandbits(width))) & ((1 << width) - 1),
            "cfg_base": low,
            "cfg_limit": r.choice((top, top, top, low, r.getrandbits(width))),
        }

    range_of = "" if regions == 1 << bits else f"; {regions} and above are ignored"
    return Draft(
        rtl=f"""
module protection_unit #(
  parameter int REGIONS = {regions},
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic cfg_wr, // sets up a region, in privileged mode only
  input logic [{bits - 1}:0] cfg_index,
  input logic [WIDTH-1:0] cfg_base,
  input logic [WIDTH-1:0] cfg_limit,
  input logic [2:0] cfg_rights, // fetch, write, read
  input logic cfg_active,
  input logic privileged,
  input logic access,
  input logic fetch,
  input logic wr,
  input logic [WIDTH-1:0] page,
  input logic clear,
  output logic hit,
  output logic allowed,
  output logic fault,
  output logic [WIDTH-1:0] fault_page
);
  logic [WIDTH-1:0] base [0:REGIONS-1];
  logic [WIDTH-1:0] limit [0:REGIONS-1];
  logic [2:0] rights [0:REGIONS-1];
  logic [REGIONS-1:0] active;
  logic [2:0] right;

  // setting up
  always_ff @(posedge clk) begin
    if (rst) begin
      active <= '0;
      for (int i = 0; i < REGIONS; i++) begin
        base[i] <= '0;
        limit[i] <= '0;
        rights[i] <= 3'b000;
      end
    end else if (cfg_wr && privileged && cfg_index < REGIONS) begin
      base[cfg_index] <= cfg_base;
      limit[cfg_index] <= cfg_limit;
      rights[cfg_index] <= cfg_rights;
      active[cfg_index] <= cfg_active;
    end
  end
  {body}
  // the first fault is kept until it is cleared
  always_ff @(posedge clk) begin
    if (rst) begin
      fault <= 1'b0;
      fault_page <= '0;
    end else if (access && !allowed && !fault) begin
      fault <= 1'b1;
      fault_page <= page;
    end else if (clear) begin
      fault <= 1'b0;
    end
  end
endmodule
""",
        about=f"""Memory protection with {regions} regions of pages, {width}-bit page numbers. `cfg_wr` while
            `privileged` writes region `cfg_index`{range_of}: first page `cfg_base`, last page `cfg_limit` (inclusive),
            `cfg_rights` (bit 2 fetch, 1 write, 0 read) and whether it is active. All start inactive. `hit` says without
            delay that `page` lies in an active region; the {"lowest" if low_first else "highest"} such region gives
            the right: `allowed` is its bit for a `fetch`, else for a write (`wr`), else for a read. Outside of all
            regions `allowed` is {"`privileged`" if allow else "low"}. An `access` that is not allowed sets `fault` and
            keeps its page in `fault_page`, from the next cycle on, unless `fault` is set already; otherwise `clear`
            clears `fault`.""",
        model=Machine(reset, step),
        names=("mpu", "region_check", "mem_protect", "access_guard"),
        stimulus={"cfg_wr": 0.25, "cfg_active": 0.85, "privileged": 0.7, "access": 0.6, "fetch": 0.35, "clear": 0.4},
        drive=drive,
        cycles=220,
    )


@family(variants=2)
def atomic_unit(r: Random, variant: int) -> Draft:
    """Reads a memory word, combines it with an operand and writes it back, as one access."""
    width = r.choice((8, 16, 32))
    addr = r.choice((4, 6, 8))
    mask = (1 << width) - 1
    pool = ["AND", "OR", "XOR", "MAX", "MIN", "MAXU"]
    order = ["SWAP", "ADD", *r.sample(pool, 2)]
    r.shuffle(order)
    constants = "\n".join(f"  localparam logic [1:0] AMO_{one} = 2'd{k};" for k, one in enumerate(order))
    texts = {
        "SWAP": "operand",
        "ADD": "old_value + operand",
        "AND": "old_value & operand",
        "OR": "old_value | operand",
        "XOR": "old_value ^ operand",
        "MAX": "($signed(old_value) > $signed(operand)) ? old_value : operand",
        "MIN": "($signed(old_value) < $signed(operand)) ? old_value : operand",
        "MAXU": "(old_value > operand) ? old_value : operand",
    }
    arms = "\n".join(f"      AMO_{one}: new_value = {texts[one]};" for one in order[:3])
    one_process = """
  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      done <= 1'b0;
      old_value <= '0;
      operand <= '0;
      op_held <= '0;
      mem_addr <= '0;
    end else begin
      done <= 1'b0;
      case (state)
        IDLE: begin
          if (start) begin
            state <= READ;
            op_held <= op;
            operand <= din;
            mem_addr <= addr;
          end
        end
        READ: begin
          if (mem_ready) begin
            old_value <= mem_rdata;
            state <= WRITE;
          end
        end
        WRITE: begin
          if (mem_ready) begin
            state <= IDLE;
            done <= 1'b1;
          end
        end
        default: state <= IDLE;
      endcase
    end
  end
"""
    two = """
  state_t state_next;

  always_comb begin
    state_next = state;
    if (state == IDLE && start) state_next = READ;
    if (state == READ && mem_ready) state_next = WRITE;
    if (state == WRITE && mem_ready) state_next = IDLE;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      done <= 1'b0;
    end else begin
      state <= state_next;
      done <= (state == WRITE) & mem_ready;
    end
  end

  // what the request said is held, as it may change meanwhile
  always_ff @(posedge clk) begin
    if (rst) begin
      mem_addr <= '0;
      operand <= '0;
      op_held <= 2'd0;
    end else if (state == IDLE && start) begin
      mem_addr <= addr;
      operand <= din;
      op_held <= op;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) old_value <= '0;
    else if (state == READ && mem_ready) old_value <= mem_rdata;
  end
"""
    body = (one_process, two)[variant]

    def combine(name: str, old: int, operand: int) -> int:
        signed = to_signed(old, width) > to_signed(operand, width)
        match name:
            case "SWAP":
                return operand
            case "ADD":
                return (old + operand) & mask
            case "AND":
                return old & operand
            case "OR":
                return old | operand
            case "XOR":
                return old ^ operand
            case "MAX":
                return old if signed else operand
            case "MIN":
                return operand if signed else old
        return max(old, operand)

    def reset(s: State) -> None:
        s.at, s.done, s.old, s.operand, s.op, s.addr = "idle", 0, 0, 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {
            "busy": int(s.at != "idle"),
            "done": s.done,
            "old_value": s.old,
            "mem_req": int(s.at != "idle"),
            "mem_wr": int(s.at == "write"),
            "mem_addr": s.addr,
            "mem_wdata": combine(order[s.op], s.old, s.operand),
        }
        s.done = 0
        if s.at == "idle":
            if i.start:
                s.at, s.op, s.operand, s.addr = "read", i.op, i.din, i.addr
        elif i.mem_ready:
            if s.at == "read":
                s.at, s.old = "write", i.mem_rdata
            else:
                s.at, s.done = "idle", 1
        return out

    def near(r: Random) -> int:
        return r.choice((r.getrandbits(width), r.randrange(4), mask - r.randrange(4)))

    says = {
        "SWAP": "the operand",
        "ADD": "the sum",
        "AND": "bitwise and",
        "OR": "bitwise or",
        "XOR": "exclusive or",
        "MAX": "the signed maximum",
        "MIN": "the signed minimum",
        "MAXU": "the unsigned maximum",
    }
    listing = ", ".join(f"{k} {says[one]}" for k, one in enumerate(order))
    return Draft(
        rtl=f"""
module atomic_unit #(
  parameter int WIDTH = {width},
  parameter int ADDR = {addr}
) (
  input logic clk,
  input logic rst,
  input logic start,
  input logic [1:0] op,
  input logic [ADDR-1:0] addr,
  input logic [WIDTH-1:0] din,
  output logic busy,
  output logic done,
  output logic [WIDTH-1:0] old_value, // what the memory held before
  output logic mem_req,
  output logic mem_wr,
  output logic [ADDR-1:0] mem_addr,
  output logic [WIDTH-1:0] mem_wdata,
  input logic [WIDTH-1:0] mem_rdata,
  input logic mem_ready
);
{constants}
  typedef enum logic [1:0] {{IDLE, READ, WRITE}} state_t;
  state_t state;
  logic [WIDTH-1:0] operand, new_value;
  logic [1:0] op_held;

  assign busy = (state != IDLE);
  assign mem_req = (state == READ) || (state == WRITE); // not given up in between
  assign mem_wr = (state == WRITE);
  assign mem_wdata = new_value;
  {body}
  always_comb begin
    case (op_held)
{arms}
      default: new_value = {texts[order[3]]};
    endcase
  end
endmodule
""",
        about=f"""Atomic read-modify-write unit. `start` takes `op`, `addr` and the operand `din` when it is not `busy`.
            From the next cycle on `mem_req` is high: first to read, until `mem_ready`, with which `mem_rdata` comes
            and goes into `old_value`; then, without a pause, to write (`mem_wr`), until `mem_ready` again. `busy` then
            falls and `done` is high for one cycle. `mem_addr` is the held address, 0 at first. `mem_wdata` is always
            the value of the held operation of `old_value` and the held operand ({width} bits), by `op`: {listing}. All
            registers start at 0.""",
        model=Machine(reset, step),
        names=("amo_unit", "rmw_unit", "atomic_alu", "read_modify_write"),
        stimulus={"start": 0.6, "mem_ready": 0.6, "din": near, "mem_rdata": near},
        cycles=200,
    )
