Behind ``mux``, Modbus over TCP and RTU over TCP know units (other numbers, other targets), rules of who may read and write what, one answer for equal reads, and a cache of registers.
