module arbiter (
    input  wire       clk,
    input  wire       rst,
    input  wire [3:0] req,
    output reg  [3:0] grant
);
  reg [1:0] last;
  reg [3:0] chosen;
  always @(*) begin
    chosen = 4'b0000;
    case (last)
      2'd3: if (req[0]) chosen = 4'b0001; else if (req[1]) chosen = 4'b0010;
            else if (req[2]) chosen = 4'b0100; else if (req[3]) chosen = 4'b1000;
      2'd0: if (req[1]) chosen = 4'b0010; else if (req[2]) chosen = 4'b0100;
            else if (req[3]) chosen = 4'b1000; else if (req[0]) chosen = 4'b0001;
      2'd1: if (req[2]) chosen = 4'b0100; else if (req[3]) chosen = 4'b1000;
            else if (req[0]) chosen = 4'b0001; else if (req[1]) chosen = 4'b0010;
      default: if (req[3]) chosen = 4'b1000; else if (req[0]) chosen = 4'b0001;
            else if (req[1]) chosen = 4'b0010; else if (req[2]) chosen = 4'b0100;
    endcase
  end
  always @(posedge clk) begin
    if (rst) begin
      last <= 2'd3;
      grant <= 4'd0;
    end else begin
      grant <= chosen;
      case (chosen)
        4'b0001: last <= 2'd0;
        4'b0010: last <= 2'd1;
        4'b0100: last <= 2'd2;
        4'b1000: last <= 2'd3;
        default: last <= last;
      endcase
    end
  end
endmodule
