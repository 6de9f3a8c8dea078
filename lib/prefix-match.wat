;; Length of the common prefix of two runs of 32-bit tokens in shared memory, at byte offsets $a and $b.
;; Steps of 64 tokens, then of 16: the differences of all their vectors are or-ed, and one test sees whether any is
;; set. The step that holds the first difference, and the tail, are then compared token by token.
(module
  (import "cria" "memory" (memory 1 65536 shared))
  (func (export "commonPrefix") (param $a i32) (param $b i32) (param $length i32) (result i32)
    (local $start i32) (local $end i32) (local $tail i32)
    (local.set $start (local.get $a))
    (local.set $tail (i32.add (local.get $a) (i32.shl (local.get $length) (i32.const 2))))
    (local.set $end (i32.add (local.get $a) (i32.and (i32.sub (local.get $tail) (local.get $a)) (i32.const -256))))
    (block $wideDone
      (loop $wide
        (br_if $wideDone (i32.ge_u (local.get $a) (local.get $end)))
        (br_if $wideDone (v128.any_true
          (v128.or
            (v128.or
              (v128.or
                (v128.or
                  (v128.xor (v128.load offset=0 (local.get $a)) (v128.load offset=0 (local.get $b)))
                  (v128.xor (v128.load offset=16 (local.get $a)) (v128.load offset=16 (local.get $b))))
                (v128.or
                  (v128.xor (v128.load offset=32 (local.get $a)) (v128.load offset=32 (local.get $b)))
                  (v128.xor (v128.load offset=48 (local.get $a)) (v128.load offset=48 (local.get $b)))))
              (v128.or
                (v128.or
                  (v128.xor (v128.load offset=64 (local.get $a)) (v128.load offset=64 (local.get $b)))
                  (v128.xor (v128.load offset=80 (local.get $a)) (v128.load offset=80 (local.get $b))))
                (v128.or
                  (v128.xor (v128.load offset=96 (local.get $a)) (v128.load offset=96 (local.get $b)))
                  (v128.xor (v128.load offset=112 (local.get $a)) (v128.load offset=112 (local.get $b))))))
            (v128.or
              (v128.or
                (v128.or
                  (v128.xor (v128.load offset=128 (local.get $a)) (v128.load offset=128 (local.get $b)))
                  (v128.xor (v128.load offset=144 (local.get $a)) (v128.load offset=144 (local.get $b))))
                (v128.or
                  (v128.xor (v128.load offset=160 (local.get $a)) (v128.load offset=160 (local.get $b)))
                  (v128.xor (v128.load offset=176 (local.get $a)) (v128.load offset=176 (local.get $b)))))
              (v128.or
                (v128.or
                  (v128.xor (v128.load offset=192 (local.get $a)) (v128.load offset=192 (local.get $b)))
                  (v128.xor (v128.load offset=208 (local.get $a)) (v128.load offset=208 (local.get $b))))
                (v128.or
                  (v128.xor (v128.load offset=224 (local.get $a)) (v128.load offset=224 (local.get $b)))
                  (v128.xor (v128.load offset=240 (local.get $a)) (v128.load offset=240 (local.get $b)))))))))
        (local.set $a (i32.add (local.get $a) (i32.const 256)))
        (local.set $b (i32.add (local.get $b) (i32.const 256)))
        (br $wide)))
    (local.set $end (i32.add (local.get $a) (i32.and (i32.sub (local.get $tail) (local.get $a)) (i32.const -64))))
    (block $narrowDone
      (loop $narrow
        (br_if $narrowDone (i32.ge_u (local.get $a) (local.get $end)))
        (br_if $narrowDone (v128.any_true
          (v128.or
            (v128.or
              (v128.xor (v128.load offset=0 (local.get $a)) (v128.load offset=0 (local.get $b)))
              (v128.xor (v128.load offset=16 (local.get $a)) (v128.load offset=16 (local.get $b))))
            (v128.or
              (v128.xor (v128.load offset=32 (local.get $a)) (v128.load offset=32 (local.get $b)))
              (v128.xor (v128.load offset=48 (local.get $a)) (v128.load offset=48 (local.get $b)))))))
        (local.set $a (i32.add (local.get $a) (i32.const 64)))
        (local.set $b (i32.add (local.get $b) (i32.const 64)))
        (br $narrow)))
    (block $found
      (loop $token
        (br_if $found (i32.ge_u (local.get $a) (local.get $tail)))
        (br_if $found (i32.ne (i32.load (local.get $a)) (i32.load (local.get $b))))
        (local.set $a (i32.add (local.get $a) (i32.const 4)))
        (local.set $b (i32.add (local.get $b) (i32.const 4)))
        (br $token)))
    (i32.shr_u (i32.sub (local.get $a) (local.get $start)) (i32.const 2))))
