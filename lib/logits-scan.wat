;; Scans over 32-bit floats in shared memory, at a byte offset $at that 16 divides. $length is a multiple of 16: the
;; memory behind the floats that count is filled with -Infinity.
(module
  (import "cria" "memory" (memory 1 65536 shared))
  ;; The largest float; NaN where there is any.
  (func (export "largest") (param $at i32) (param $length i32) (result f32)
    (local $end i32) (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local.set $end (i32.add (local.get $at) (i32.shl (local.get $length) (i32.const 2))))
    (local.set $a (f32x4.splat (f32.const -inf)))
    (local.set $b (local.get $a))
    (local.set $c (local.get $a))
    (local.set $d (local.get $a))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $a (f32x4.max (local.get $a) (v128.load offset=0 (local.get $at))))
        (local.set $b (f32x4.max (local.get $b) (v128.load offset=16 (local.get $at))))
        (local.set $c (f32x4.max (local.get $c) (v128.load offset=32 (local.get $at))))
        (local.set $d (f32x4.max (local.get $d) (v128.load offset=48 (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 64)))
        (br $next)))
    (local.set $a (f32x4.max (f32x4.max (local.get $a) (local.get $b)) (f32x4.max (local.get $c) (local.get $d))))
    (f32.max
      (f32.max (f32x4.extract_lane 0 (local.get $a)) (f32x4.extract_lane 1 (local.get $a)))
      (f32.max (f32x4.extract_lane 2 (local.get $a)) (f32x4.extract_lane 3 (local.get $a)))))
  ;; Index of the first float that equals $value; $length where none does.
  (func (export "indexOf") (param $at i32) (param $length i32) (param $value f32) (result i32)
    (local $start i32) (local $end i32) (local $wanted v128)
    (local.set $start (local.get $at))
    (local.set $end (i32.add (local.get $at) (i32.shl (local.get $length) (i32.const 2))))
    (local.set $wanted (f32x4.splat (local.get $value)))
    (block $found
      (loop $next
        (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (local.get $length))))
        (br_if $found
          (v128.any_true
            (v128.or
              (v128.or
                (f32x4.eq (local.get $wanted) (v128.load offset=0 (local.get $at)))
                (f32x4.eq (local.get $wanted) (v128.load offset=16 (local.get $at))))
              (v128.or
                (f32x4.eq (local.get $wanted) (v128.load offset=32 (local.get $at)))
                (f32x4.eq (local.get $wanted) (v128.load offset=48 (local.get $at)))))))
        (local.set $at (i32.add (local.get $at) (i32.const 64)))
        (br $next)))
    (loop $next
      (if (f32.eq (f32.load (local.get $at)) (local.get $value))
        (then (return (i32.shr_u (i32.sub (local.get $at) (local.get $start)) (i32.const 2)))))
      (local.set $at (i32.add (local.get $at) (i32.const 4)))
      (br $next))
    (unreachable))
  ;; How many floats are not less than $threshold.
  (func (export "countFrom") (param $at i32) (param $length i32) (param $threshold f32) (result i32)
    (local $end i32) (local $wanted v128) (local $count v128)
    (local.set $end (i32.add (local.get $at) (i32.shl (local.get $length) (i32.const 2))))
    (local.set $wanted (f32x4.splat (local.get $threshold)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        ;; Where a comparison holds, its lane is -1.
        (local.set $count
          (i32x4.sub (local.get $count)
            (i32x4.add
              (i32x4.add
                (f32x4.ge (v128.load offset=0 (local.get $at)) (local.get $wanted))
                (f32x4.ge (v128.load offset=16 (local.get $at)) (local.get $wanted)))
              (i32x4.add
                (f32x4.ge (v128.load offset=32 (local.get $at)) (local.get $wanted))
                (f32x4.ge (v128.load offset=48 (local.get $at)) (local.get $wanted))))))
        (local.set $at (i32.add (local.get $at) (i32.const 64)))
        (br $next)))
    (i32.add
      (i32.add (i32x4.extract_lane 0 (local.get $count)) (i32x4.extract_lane 1 (local.get $count)))
      (i32.add (i32x4.extract_lane 2 (local.get $count)) (i32x4.extract_lane 3 (local.get $count)))))
  ;; Writes index, float and 0 (three words) of each float that is not less than $threshold to $to, in order, up to $most
  ;; of them. How many there are in all.
  (func (export "gatherFrom") (param $at i32) (param $length i32) (param $threshold f32) (param $to i32) (param $most i32) (result i32)
    (local $start i32) (local $end i32) (local $block i32) (local $wanted v128) (local $count i32)
    (local.set $start (local.get $at))
    (local.set $end (i32.add (local.get $at) (i32.shl (local.get $length) (i32.const 2))))
    (local.set $wanted (f32x4.splat (local.get $threshold)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $block (i32.add (local.get $at) (i32.const 64)))
        (if
          (v128.any_true
            (v128.or
              (v128.or
                (f32x4.ge (v128.load offset=0 (local.get $at)) (local.get $wanted))
                (f32x4.ge (v128.load offset=16 (local.get $at)) (local.get $wanted)))
              (v128.or
                (f32x4.ge (v128.load offset=32 (local.get $at)) (local.get $wanted))
                (f32x4.ge (v128.load offset=48 (local.get $at)) (local.get $wanted)))))
          (then
            (loop $each
              (if (f32.ge (f32.load (local.get $at)) (local.get $threshold))
                (then
                  (if (i32.lt_u (local.get $count) (local.get $most))
                    (then
                      (i32.store offset=0 (local.get $to)
                        (i32.shr_u (i32.sub (local.get $at) (local.get $start)) (i32.const 2)))
                      (f32.store offset=4 (local.get $to) (f32.load (local.get $at)))
                      (i32.store offset=8 (local.get $to) (i32.const 0))
                      (local.set $to (i32.add (local.get $to) (i32.const 12)))))
                  (local.set $count (i32.add (local.get $count) (i32.const 1)))))
              (local.set $at (i32.add (local.get $at) (i32.const 4)))
              (br_if $each (i32.lt_u (local.get $at) (local.get $block))))))
        (local.set $at (local.get $block))
        (br $next)))
    (local.get $count)))
