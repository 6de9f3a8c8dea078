;; Length of the common prefix of two runs of 32-bit tokens in shared memory.
;; 16 tokens a step: the differences of four vectors are or-ed, and one test sees whether any is set.
;; The step that holds the first difference, and the tail, are then compared token by token.
(module
  (import "cria" "memory" (memory 1 65536 shared))
  (func (export "commonPrefix") (param $a i32) (param $b i32) (param $length i32) (result i32)
    (local $index i32) (local $steps i32)
    (local.set $steps (i32.and (local.get $length) (i32.const -16)))
    (block $differs
      (loop $step
        (br_if $differs (i32.ge_u (local.get $index) (local.get $steps)))
        (br_if $differs
          (v128.any_true
            (v128.or
              (v128.or
                (v128.xor (v128.load (local.get $a)) (v128.load (local.get $b)))
                (v128.xor (v128.load offset=16 (local.get $a)) (v128.load offset=16 (local.get $b))))
              (v128.or
                (v128.xor (v128.load offset=32 (local.get $a)) (v128.load offset=32 (local.get $b)))
                (v128.xor (v128.load offset=48 (local.get $a)) (v128.load offset=48 (local.get $b)))))))
        (local.set $a (i32.add (local.get $a) (i32.const 64)))
        (local.set $b (i32.add (local.get $b) (i32.const 64)))
        (local.set $index (i32.add (local.get $index) (i32.const 16)))
        (br $step)))
    (block $found
      (loop $token
        (br_if $found (i32.ge_u (local.get $index) (local.get $length)))
        (br_if $found (i32.ne (i32.load (local.get $a)) (i32.load (local.get $b))))
        (local.set $a (i32.add (local.get $a) (i32.const 4)))
        (local.set $b (i32.add (local.get $b) (i32.const 4)))
        (local.set $index (i32.add (local.get $index) (i32.const 1)))
        (br $token)))
    (local.get $index)))
