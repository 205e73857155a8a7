module multiplier (
    input  wire       clk,
    input  wire       rst,
    input  wire       start,
    input  wire [3:0] a,
    input  wire [3:0] b,
    output reg  [7:0] product,
    output reg        done
);
  // The classic form: the factor leaves the register on the right while the sum comes in on the left.
  reg [4:0] stage;
  reg [3:0] factor;
  reg [8:0] both;
  wire [4:0] added = {1'b0, both[7:4]} + (both[0] ? {1'b0, factor} : 5'd0);
  wire idle = stage == 5'd0;
  always @(posedge clk) begin
    if (rst) stage <= 5'd0;
    else stage <= idle ? {4'd0, start} : stage << 1;
  end
  always @(posedge clk) begin
    if (rst) begin
      factor <= 4'd0;
      both <= 9'd0;
    end else if (idle) begin
      if (start) begin
        factor <= a;
        both <= {5'd0, b};
      end
    end else if (!stage[4]) begin
      both <= {1'b0, added, both[3:1]};
    end
  end
  always @(posedge clk) begin
    if (rst) product <= 8'd0;
    else if (stage[4]) product <= both[7:0];
    done <= !rst && stage[4];
  end
endmodule
