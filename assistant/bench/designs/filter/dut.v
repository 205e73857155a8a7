// A filter of four signed taps whose result is rounded and saturated, with a running peak and a table of gains.
module dut (
    input                    clk,
    input                    rst_n,
    input                    enable,
    input                    hold,
    input  signed     [7:0]  sample,
    input             [1:0]  gain,
    output reg signed [7:0]  result,
    output reg        [7:0]  peak,
    output reg               clipped,
    output            [2:0]  zeros
);
  reg signed [7:0] t0, t1, t2, t3;
  reg signed [11:0] sum;
  reg [3:0] factor;
  integer i;
  reg [2:0] zero_count;

  always @(gain)
    case (gain)
      2'd0: factor = 4'd1;
      2'd1: factor = 4'd2;
      2'd2: factor = 4'd3;
      default: factor = 4'd5;
    endcase

  function signed [7:0] limited;
    input signed [16:0] value;
    begin
      if (value > 17'sd127) limited = 8'sd127;
      else if (value < -17'sd128) limited = -8'sd128;
      else limited = value[7:0];
    end
  endfunction

  wire signed [16:0] scaled = (sum * $signed({1'b0, factor})) >>> 3;
  wire [7:0] size = result[7] ? -result : result;

  always @(posedge clk or negedge rst_n)
    if (!rst_n) begin
      {t0, t1, t2, t3} <= 32'd0;
      sum <= 12'sd0;
    end else if (enable) begin
      t0 <= sample;
      t1 <= t0;
      t2 <= t1;
      t3 <= t2;
      sum <= t0 + (t1 <<< 1) + (t2 <<< 1) - t3;
    end

  always @(negedge clk or negedge rst_n)
    if (!rst_n) begin
      result <= 8'sd0;
      clipped <= 1'b0;
      peak <= 8'd0;
    end else if (!hold) begin
      result <= limited(scaled);
      clipped <= scaled > 17'sd127 || scaled < -17'sd128;
      if (size > peak) peak <= size;
      else if (peak != 8'd0) peak <= peak - 8'd1;
    end

  always @* begin
    zero_count = 3'd0;
    for (i = 0; i < 4; i = i + 1) if (result[i] == 1'b0) zero_count = zero_count + 3'd1;
  end
  assign zeros = zero_count;
endmodule
