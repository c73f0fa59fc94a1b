function delay() return 1000 end -- milliseconds
