# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# gnuplot -e "data='build/growth.txt'; picture='docs/growth.png'" tests/bench/growth.gp
set terminal pngcairo size 1000,760 font "sans,10"
set output picture
set multiplot layout 2,2 title "bannerprobe: costs as the work grows (ns over an empty program, tc)"
set logscale x
set format x "%.0s%c"
set grid
set yrange [0:*]
set key bottom left

set title "a connection of four packets, by connections seen"
set xlabel "connections seen"
set ylabel "ns"
plot data index 0 using 1:3 with linespoints title "connection"

set title "a data packet, by connections seen"
plot data index 0 using 1:2 with linespoints title "data of 10,000 decided", \
     data index 0 using 1:4 with linespoints title "banners missed"

set title "by --max-flows"
set xlabel "--max-flows"
plot data index 1 using 1:3 with linespoints title "connection", \
     data index 1 using 1:4 with linespoints title "SYN of a flood"

set title "by --max-flows"
set key top left
set y2tics
set logscale y2
set y2label "MiB"
plot data index 1 using 1:2 with linespoints title "data", \
     data index 1 using 1:5 with linespoints title "data in a flood", \
     data index 1 using 1:7 with linespoints title "banners missed", \
     data index 1 using 1:6 axes x1y2 with linespoints title "kernel memory, MiB (right)"
