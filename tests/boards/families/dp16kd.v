// An ECP5 block RAM for simulation, from Lattice FPGA-TN-02204 (ECP5 memory usage guide), as far as the tests
// need it: two ports of 9 or 18 bits, each for itself, or 36 bits that A writes and B reads.
module DP16KD (
  input DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3,
    DIA2, DIA1, DIA0,
  input ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0,
  input CLKA, CEA, OCEA, WEA, RSTA, CSA2, CSA1, CSA0,
  input DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3,
    DIB2, DIB1, DIB0,
  input ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0,
  input CLKB, CEB, OCEB, WEB, RSTB, CSB2, CSB1, CSB0,
  output DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3,
    DOA2, DOA1, DOA0,
  output DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3,
    DOB2, DOB1, DOB0);
  parameter [319:0] INITVAL_00 = 0, INITVAL_01 = 0, INITVAL_02 = 0, INITVAL_03 = 0, INITVAL_04 = 0,
    INITVAL_05 = 0, INITVAL_06 = 0, INITVAL_07 = 0, INITVAL_08 = 0, INITVAL_09 = 0, INITVAL_0A = 0,
    INITVAL_0B = 0, INITVAL_0C = 0, INITVAL_0D = 0, INITVAL_0E = 0, INITVAL_0F = 0, INITVAL_10 = 0,
    INITVAL_11 = 0, INITVAL_12 = 0, INITVAL_13 = 0, INITVAL_14 = 0, INITVAL_15 = 0, INITVAL_16 = 0,
    INITVAL_17 = 0, INITVAL_18 = 0, INITVAL_19 = 0, INITVAL_1A = 0, INITVAL_1B = 0, INITVAL_1C = 0,
    INITVAL_1D = 0, INITVAL_1E = 0, INITVAL_1F = 0, INITVAL_20 = 0, INITVAL_21 = 0, INITVAL_22 = 0,
    INITVAL_23 = 0, INITVAL_24 = 0, INITVAL_25 = 0, INITVAL_26 = 0, INITVAL_27 = 0, INITVAL_28 = 0,
    INITVAL_29 = 0, INITVAL_2A = 0, INITVAL_2B = 0, INITVAL_2C = 0, INITVAL_2D = 0, INITVAL_2E = 0,
    INITVAL_2F = 0, INITVAL_30 = 0, INITVAL_31 = 0, INITVAL_32 = 0, INITVAL_33 = 0, INITVAL_34 = 0,
    INITVAL_35 = 0, INITVAL_36 = 0, INITVAL_37 = 0, INITVAL_38 = 0, INITVAL_39 = 0, INITVAL_3A = 0,
    INITVAL_3B = 0, INITVAL_3C = 0, INITVAL_3D = 0, INITVAL_3E = 0, INITVAL_3F = 0;
  parameter DATA_WIDTH_A = 18, DATA_WIDTH_B = 18, CLKAMUX = "CLKA", CLKBMUX = "CLKB";
  parameter REGMODE_A = "NOREG", REGMODE_B = "NOREG", WRITEMODE_A = "NORMAL", WRITEMODE_B = "NORMAL";
  parameter CSDECODE_A = "0b000", CSDECODE_B = "0b000", RESETMODE = "SYNC", ASYNC_RESET_RELEASE = "SYNC";
  parameter GSR = "DISABLED";

  wire [20479:0] first = {INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A,
    INITVAL_39, INITVAL_38,
    INITVAL_37, INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32, INITVAL_31, INITVAL_30,
    INITVAL_2F, INITVAL_2E, INITVAL_2D, INITVAL_2C, INITVAL_2B, INITVAL_2A, INITVAL_29, INITVAL_28,
    INITVAL_27, INITVAL_26, INITVAL_25, INITVAL_24, INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20,
    INITVAL_1F, INITVAL_1E, INITVAL_1D, INITVAL_1C, INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18,
    INITVAL_17, INITVAL_16, INITVAL_15, INITVAL_14, INITVAL_13, INITVAL_12, INITVAL_11, INITVAL_10,
    INITVAL_0F, INITVAL_0E, INITVAL_0D, INITVAL_0C, INITVAL_0B, INITVAL_0A, INITVAL_09, INITVAL_08,
    INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03, INITVAL_02, INITVAL_01, INITVAL_00};
  reg [17:0] words [0:1023];
  integer i;
  initial for (i = 0; i < 1024; i = i + 1) words[i] = first[20 * i +: 18];

  wire [35:0] in = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5,
    DIB4, DIB3, DIB2, DIB1, DIB0,
    DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2,
      DIA1, DIA0};
  wire [13:0] ada = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0};
  wire [13:0] adb = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0};
  wire clka = CLKA ^ (CLKAMUX == "INV"), clkb = CLKB ^ (CLKBMUX == "INV");
  wire cea = CEA & {CSA2, CSA1, CSA0} == 0, ceb = CEB & {CSB2, CSB1, CSB0} == 0;
  wire wide = DATA_WIDTH_A == 36;

  function [35:0] read(input [13:0] address, input integer width);
    case (width)
      9: read = words[address[13:4]][9 * address[3] +: 9];
      18: read = words[address[13:4]];
      36: read = {words[{address[13:5], 1'b1}], words[{address[13:5], 1'b0}]};
      default: begin $display("DATA_WIDTH %0d is not modelled", width); $finish; end
    endcase
  endfunction

  task write(input [13:0] address, input integer width, input [35:0] data);
    case (width)
      9: words[address[13:4]][9 * address[3] +: 9] <= data[8:0];
      18: for (i = 0; i < 2; i = i + 1)
        if (address[i]) words[address[13:4]][9 * i +: 9] <= data[9 * i +: 9];
      36: for (i = 0; i < 4; i = i + 1)
        if (address[i]) words[{address[13:5], i >= 2}][9 * (i % 2) +: 9] <= data[9 * i +: 9];
      default: ;
    endcase
  endtask

  // The array's output, and the register behind it, which its own enable holds and no other.
  reg [35:0] array_a = 0, array_b = 0, out_a = 0, out_b = 0;
  always @(posedge clka) begin
    if (cea & WEA) write(ada, DATA_WIDTH_A, in);
    if (RSTA) array_a <= 0;
    else if (cea & (~WEA | WRITEMODE_A == "READBEFOREWRITE") & ~wide) array_a <= read(ada, DATA_WIDTH_A);
    if (OCEA) out_a <= RSTA ? 0 : array_a;
  end
  always @(posedge clkb) begin
    if (ceb & WEB) write(adb, DATA_WIDTH_B, in[35:18]);
    if (RSTB) array_b <= 0;
    else if (ceb & (~WEB | WRITEMODE_B == "READBEFOREWRITE")) array_b <= read(adb, DATA_WIDTH_B);
    if (OCEB) out_b <= RSTB ? 0 : array_b;
  end

  wire [35:0] b = REGMODE_B == "OUTREG" ? out_b : array_b;
  wire [35:0] a = REGMODE_A == "OUTREG" ? (wide ? out_b : out_a) : (wide ? array_b : array_a);
  assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3,
    DOA2, DOA1, DOA0} = a[17:0];
  assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3,
    DOB2, DOB1, DOB0} = DATA_WIDTH_B == 36 ? b[35:18] : b[17:0];
endmodule
