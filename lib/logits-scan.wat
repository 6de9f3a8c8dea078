;; Scans over 32-bit floats in shared memory, in blocks of 64, at a byte offset $at that 16 divides. The memory behind the
;; floats that count is filled with -Infinity up to a whole block. $maxima is where the largest float of each block is, by
;; which blocks are left out that have nothing to say; it may be more than the largest, but not less.
(module
  (import "cria" "memory" (memory 1 65536 shared))
  ;; Writes the largest float of each of $blocks blocks to $to, NaN where there is any. The largest of all, NaN likewise.
  (func (export "blockMaxima") (param $at i32) (param $blocks i32) (param $to i32) (result f32)
    (local $start i32) (local $first i32) (local $stop i32) (local $most v128) (local $all v128) (local $sum v128)
    (local.set $start (local.get $at))
    (local.set $first (local.get $to))
    (local.set $stop (i32.add (local.get $at) (i32.shl (local.get $blocks) (i32.const 8))))
    (local.set $all (f32x4.splat (f32.const -inf)))
    (block $done
      (loop $block
        (br_if $done (i32.ge_u (local.get $at) (local.get $stop)))
        ;; Written out as trees: a loop would wait for each of its steps. pmax is one instruction where max is many, but loses
        ;; NaN, which a sum does not: that of all blocks, which is looked at once.
        (local.set $most
          (f32x4.pmax
            (f32x4.pmax
              (f32x4.pmax
                (f32x4.pmax (v128.load offset=0 (local.get $at)) (v128.load offset=16 (local.get $at)))
                (f32x4.pmax (v128.load offset=32 (local.get $at)) (v128.load offset=48 (local.get $at))))
              (f32x4.pmax
                (f32x4.pmax (v128.load offset=64 (local.get $at)) (v128.load offset=80 (local.get $at)))
                (f32x4.pmax (v128.load offset=96 (local.get $at)) (v128.load offset=112 (local.get $at)))))
            (f32x4.pmax
              (f32x4.pmax
                (f32x4.pmax (v128.load offset=128 (local.get $at)) (v128.load offset=144 (local.get $at)))
                (f32x4.pmax (v128.load offset=160 (local.get $at)) (v128.load offset=176 (local.get $at))))
              (f32x4.pmax
                (f32x4.pmax (v128.load offset=192 (local.get $at)) (v128.load offset=208 (local.get $at)))
                (f32x4.pmax (v128.load offset=224 (local.get $at)) (v128.load offset=240 (local.get $at)))))))
        (local.set $sum
          (f32x4.add (local.get $sum) (f32x4.add
            (f32x4.add
              (f32x4.add
                (f32x4.add (v128.load offset=0 (local.get $at)) (v128.load offset=16 (local.get $at)))
                (f32x4.add (v128.load offset=32 (local.get $at)) (v128.load offset=48 (local.get $at))))
              (f32x4.add
                (f32x4.add (v128.load offset=64 (local.get $at)) (v128.load offset=80 (local.get $at)))
                (f32x4.add (v128.load offset=96 (local.get $at)) (v128.load offset=112 (local.get $at)))))
            (f32x4.add
              (f32x4.add
                (f32x4.add (v128.load offset=128 (local.get $at)) (v128.load offset=144 (local.get $at)))
                (f32x4.add (v128.load offset=160 (local.get $at)) (v128.load offset=176 (local.get $at))))
              (f32x4.add
                (f32x4.add (v128.load offset=192 (local.get $at)) (v128.load offset=208 (local.get $at)))
                (f32x4.add (v128.load offset=224 (local.get $at)) (v128.load offset=240 (local.get $at))))))))
        (local.set $all (f32x4.pmax (local.get $all) (local.get $most)))
        (local.set $most
          (f32x4.pmax (local.get $most)
            (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $most) (local.get $most))))
        (local.set $most
          (f32x4.pmax (local.get $most)
            (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11 (local.get $most) (local.get $most))))
        (f32.store (local.get $to) (f32x4.extract_lane 0 (local.get $most)))
        (local.set $to (i32.add (local.get $to) (i32.const 4)))
        (local.set $at (i32.add (local.get $at) (i32.const 256)))
        (br $block)))
    (if (result f32) (i32x4.all_true (f32x4.eq (local.get $sum) (local.get $sum)))
      (then
        (f32.max
          (f32.max (f32x4.extract_lane 0 (local.get $all)) (f32x4.extract_lane 1 (local.get $all)))
          (f32.max (f32x4.extract_lane 2 (local.get $all)) (f32x4.extract_lane 3 (local.get $all)))))
      (else (call $maximaOrNaN (local.get $start) (local.get $stop) (local.get $first)))))
  ;; As blockMaxima, float by float. A sum is NaN, too, where infinities meet.
  (func $maximaOrNaN (param $at i32) (param $stop i32) (param $to i32) (result f32)
    (local $end i32) (local $most f32) (local $largest f32)
    (local.set $largest (f32.const -inf))
    (loop $block
      (local.set $end (i32.add (local.get $at) (i32.const 256)))
      (local.set $most (f32.const -inf))
      (loop $next
        (local.set $most (f32.max (local.get $most) (f32.load (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))
        (br_if $next (i32.lt_u (local.get $at) (local.get $end))))
      (f32.store (local.get $to) (local.get $most))
      (local.set $largest (f32.max (local.get $largest) (local.get $most)))
      (local.set $to (i32.add (local.get $to) (i32.const 4)))
      (br_if $block (i32.lt_u (local.get $at) (local.get $stop))))
    (local.get $largest))
  ;; Index of the first of $length floats, a multiple of 16, that equals $value; $length where none does.
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
  (func (export "countFrom") (param $at i32) (param $maxima i32) (param $blocks i32) (param $threshold f32) (result i32)
    (local $stop i32) (local $end i32) (local $next i32) (local $wanted v128) (local $count v128)
    (local.set $stop (i32.add (local.get $at) (i32.shl (local.get $blocks) (i32.const 8))))
    (local.set $wanted (f32x4.splat (local.get $threshold)))
    (block $done
      (loop $block
        (br_if $done (i32.ge_u (local.get $at) (local.get $stop)))
        (local.set $next (i32.add (local.get $at) (i32.const 256)))
        (if (f32.ge (f32.load (local.get $maxima)) (local.get $threshold))
          (then
            (loop $each
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
              (br_if $each (i32.lt_u (local.get $at) (local.get $next))))))
        (local.set $at (local.get $next))
        (local.set $maxima (i32.add (local.get $maxima) (i32.const 4)))
        (br $block)))
    (i32.add
      (i32.add (i32x4.extract_lane 0 (local.get $count)) (i32x4.extract_lane 1 (local.get $count)))
      (i32.add (i32x4.extract_lane 2 (local.get $count)) (i32x4.extract_lane 3 (local.get $count)))))
  ;; Writes index, float and 0 (three words) of each float that is not less than $threshold to $to, in order, up to $most
  ;; of them. How many there are in all.
  (func (export "gatherFrom") (param $at i32) (param $maxima i32) (param $blocks i32) (param $threshold f32) (param $to i32)
    (param $most i32) (result i32)
    (local $start i32) (local $stop i32) (local $next i32) (local $mask i32) (local $from i32) (local $wanted v128)
    (local $count i32)
    (local.set $start (local.get $at))
    (local.set $stop (i32.add (local.get $at) (i32.shl (local.get $blocks) (i32.const 8))))
    (local.set $wanted (f32x4.splat (local.get $threshold)))
    (block $done
      (loop $block
        (br_if $done (i32.ge_u (local.get $at) (local.get $stop)))
        (local.set $next (i32.add (local.get $at) (i32.const 256)))
        (if (f32.ge (f32.load (local.get $maxima)) (local.get $threshold))
          (then
            (loop $each
              (local.set $mask
                (i32.or
                  (i32.or
                    (i32x4.bitmask (f32x4.ge (v128.load offset=0 (local.get $at)) (local.get $wanted)))
                    (i32.shl (i32x4.bitmask (f32x4.ge (v128.load offset=16 (local.get $at)) (local.get $wanted))) (i32.const 4)))
                  (i32.or
                    (i32.shl (i32x4.bitmask (f32x4.ge (v128.load offset=32 (local.get $at)) (local.get $wanted))) (i32.const 8))
                    (i32.shl (i32x4.bitmask (f32x4.ge (v128.load offset=48 (local.get $at)) (local.get $wanted))) (i32.const 12)))))
              (block $none
                (loop $bit
                  (br_if $none (i32.eqz (local.get $mask)))
                  (local.set $from (i32.add (local.get $at) (i32.shl (i32.ctz (local.get $mask)) (i32.const 2))))
                  (local.set $mask (i32.and (local.get $mask) (i32.sub (local.get $mask) (i32.const 1))))
                  (if (i32.lt_u (local.get $count) (local.get $most))
                    (then
                      (i32.store offset=0 (local.get $to)
                        (i32.shr_u (i32.sub (local.get $from) (local.get $start)) (i32.const 2)))
                      (f32.store offset=4 (local.get $to) (f32.load (local.get $from)))
                      (i32.store offset=8 (local.get $to) (i32.const 0))
                      (local.set $to (i32.add (local.get $to) (i32.const 12)))))
                  (local.set $count (i32.add (local.get $count) (i32.const 1)))
                  (br $bit)))
              (local.set $at (i32.add (local.get $at) (i32.const 64)))
              (br_if $each (i32.lt_u (local.get $at) (local.get $next))))))
        (local.set $at (local.get $next))
        (local.set $maxima (i32.add (local.get $maxima) (i32.const 4)))
        (br $block)))
    (local.get $count))
  ;; The sum of exp(float - $largest) of the floats that are not less than $least and not more than $largest. $least must not
  ;; be more than 80 below $largest. A term is an integer power of 2, times a polynomial that interpolates exp() at the Chebyshev
  ;; nodes to 1e-7.
  (func (export "sumExp") (param $at i32) (param $maxima i32) (param $blocks i32) (param $largest f32) (param $least f32)
    (result f64)
    (local $stop i32) (local $next i32) (local $most v128) (local $x v128) (local $power v128) (local $rest v128)
    (local $part v128) (local $sum v128) (local $wanted v128) (local $counts v128) (local $bits v128)
    (local $perLn2 v128) (local $round v128) (local $ln2 v128) (local $c0 v128) (local $c1 v128) (local $c2 v128) (local $c3 v128) (local $c4 v128) (local $c5 v128) (local $bias v128)
    (local.set $stop (i32.add (local.get $at) (i32.shl (local.get $blocks) (i32.const 8))))
    (local.set $perLn2 (f32x4.splat (f32.const 1.44269504)))
    (local.set $round (f32x4.splat (f32.const 12582912)))
    (local.set $ln2 (f32x4.splat (f32.const 0.693147181)))
    (local.set $c0 (f32x4.splat (f32.const 1.00000008)))
    (local.set $c1 (f32x4.splat (f32.const 1.00000001)))
    (local.set $c2 (f32x4.splat (f32.const 0.499988689)))
    (local.set $c3 (f32x4.splat (f32.const 0.166665052)))
    (local.set $c4 (f32x4.splat (f32.const 0.0419175575)))
    (local.set $c5 (f32x4.splat (f32.const 0.00836915567)))
    (local.set $bias (i32x4.splat (i32.const 0x3f800000)))
    (local.set $most (f32x4.splat (local.get $largest)))
    (local.set $wanted (f32x4.splat (local.get $least)))
    (block $done
      (loop $block
        (br_if $done (i32.ge_u (local.get $at) (local.get $stop)))
        (local.set $next (i32.add (local.get $at) (i32.const 256)))
        (if (f32.ge (f32.load (local.get $maxima)) (local.get $least))
          (then
            (local.set $part (f32x4.splat (f32.const 0)))
            (loop $each
              (local.set $counts (f32x4.ge (v128.load (local.get $at)) (local.get $wanted)))
              (local.set $x (f32x4.sub (v128.load (local.get $at)) (local.get $most)))
              ;; Added to 1.5 * 2^23, a number is rounded to an integer, which its lowest bits are then.
              (local.set $bits
                (f32x4.add
                  (f32x4.mul (local.get $x) (local.get $perLn2))
                  (local.get $round)))
              (local.set $power (f32x4.sub (local.get $bits) (local.get $round)))
              (local.set $rest (f32x4.sub (local.get $x) (f32x4.mul (local.get $power) (local.get $ln2))))
              (local.set $x (local.get $c5))
              (local.set $x (f32x4.add (f32x4.mul (local.get $x) (local.get $rest)) (local.get $c4)))
              (local.set $x (f32x4.add (f32x4.mul (local.get $x) (local.get $rest)) (local.get $c3)))
              (local.set $x (f32x4.add (f32x4.mul (local.get $x) (local.get $rest)) (local.get $c2)))
              (local.set $x (f32x4.add (f32x4.mul (local.get $x) (local.get $rest)) (local.get $c1)))
              (local.set $x (f32x4.add (f32x4.mul (local.get $x) (local.get $rest)) (local.get $c0)))
              (local.set $part
                (f32x4.add (local.get $part)
                  (v128.and (local.get $counts)
                    (f32x4.mul (local.get $x)
                      (i32x4.add
                        (i32x4.shl (local.get $bits) (i32.const 23))
                        (local.get $bias))))))
              (local.set $at (i32.add (local.get $at) (i32.const 16)))
              (br_if $each (i32.lt_u (local.get $at) (local.get $next))))
            (local.set $sum
              (f64x2.add (local.get $sum)
                (f64x2.add
                  (f64x2.promote_low_f32x4 (local.get $part))
                  (f64x2.promote_low_f32x4
                    (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $part) (local.get $part))))))))
        (local.set $at (local.get $next))
        (local.set $maxima (i32.add (local.get $maxima) (i32.const 4)))
        (br $block)))
    (f64.add (f64x2.extract_lane 0 (local.get $sum)) (f64x2.extract_lane 1 (local.get $sum)))))
