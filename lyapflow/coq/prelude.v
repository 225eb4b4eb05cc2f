From Coq Require Import Reals Lra List ZArith.
Local Open Scope R_scope.

(** part: space *)

(* A real inner-product space: vectors, sums, multiples, an inner product, and its laws. Nothing else is used of it, so
   the theorems hold in R^d for every d, and in every Hilbert space. *)
Record space := Space {
  vec :> Type;
  vadd : vec -> vec -> vec;
  vscale : R -> vec -> vec;
  ip : vec -> vec -> R;
  ip_sym : forall a b, ip a b = ip b a;
  ip_add : forall a b c, ip (vadd a b) c = ip a c + ip b c;
  ip_scale : forall r a b, ip (vscale r a) b = r * ip a b;
  ip_pos : forall a, 0 <= ip a a }.
Arguments vadd {_} _ _.
Arguments vscale {_} _ _.
Arguments ip {_} _ _.
Notation "a [+] b" := (vadd a b) (at level 50, left associativity).
Notation "r [*] a" := (vscale r a) (at level 40, left associativity).
Notation "a [-] b" := (vadd a (vscale (-1) b)) (at level 50, left associativity).
Notation "<< a , b >>" := (ip a b) (at level 0, a at level 60, b at level 60).
Notation "|| a ||^2" := (ip a a) (at level 0, a at level 60).

Lemma ip_add_r (E : space) (a b c : E) : << c, a [+] b >> = << c, a >> + << c, b >>.
Proof. rewrite ip_sym, ip_add, (ip_sym _ a), (ip_sym _ b). reflexivity. Qed.
Lemma ip_scale_r (E : space) r (a c : E) : << c, r [*] a >> = r * << c, a >>.
Proof. rewrite ip_sym, ip_scale, (ip_sym _ a). reflexivity. Qed.
Lemma no_gap (E : space) (a b : E) : << a [-] a, b >> = 0.
Proof. rewrite ip_add, ip_scale. ring. Qed.
Ltac settle := field.
Ltac spread := repeat rewrite ?ip_add, ?ip_scale, ?ip_add_r, ?ip_scale_r.

(* [sealed x] is x; it keeps rewriting from looking into definitions. *)
Lemma seal (A : Type) (x : A) : { y | y = x }.
Proof. exists x. reflexivity. Qed.
Definition sealed {A : Type} (x : A) : A := proj1_sig (seal A x).
Lemma sealed_is (A : Type) (x : A) : sealed x = x.
Proof. exact (proj2_sig (seal A x)). Qed.

(* Vectors that are linear forms with coefficients cs in vectors ds, and their products as forms in those of ds. *)
Fixpoint dot {E : space} (cs : list R) (ds : list E) (w : E) : R :=
  match cs, ds with cons c cs', cons d ds' => c * << d, w >> + dot cs' ds' w | _, _ => 0 end.
Definition reads {E : space} (ds : list E) (v : E) (cs : list R) := forall w, << v, w >> = dot cs ds w.
Fixpoint grid {A : Type} (f : A -> A -> R) (ds : list A) : list (list R) := (* the upper triangle of a table *)
  match ds with nil => nil | d :: ds' => map (f d) (d :: ds') :: grid f ds' end.
Notation gram := (grid (fun a b => << a, b >>)).
Fixpoint along (cs row : list R) : R :=
  match cs, row with cons c cs', cons g row' => c * g + along cs' row' | _, _ => 0 end.
Fixpoint form (cs cs' : list R) (G : list (list R)) : R :=
  match cs, cs', G with
  | c :: r, c' :: r', (g :: gs) :: G' => c * c' * g + (c * along r' gs + c' * along r gs) + form r r' G'
  | _, _, _ => 0
  end.
Lemma along_sum (A : Type) (f g : A -> R) c ds : forall r,
  along r (map (fun x => c * f x + g x) ds) = c * along r (map f ds) + along r (map g ds).
Proof. induction ds as [| d ds IH]; intros [| a r]; cbn [along map]; try ring. rewrite IH. ring. Qed.
Lemma along_zero (A : Type) (ds : list A) : forall r, along r (map (fun _ => 0) ds) = 0.
Proof. induction ds as [| d ds IH]; intros [| a r]; cbn [along map]; try ring. rewrite IH. ring. Qed.
Lemma along_dot (E : space) (ds : list E) w : forall cs, dot cs ds w = along cs (map (fun d => << d, w >>) ds).
Proof. induction ds as [| d ds IH]; intros [| c cs]; cbn [dot along map]; try reflexivity. rewrite IH. reflexivity. Qed.
Lemma along_form (E : space) (ds : list E) : forall ca cb,
  along ca (map (fun d => dot cb ds d) ds) = form ca cb (gram ds).
Proof.
induction ds as [| d ds IH]; intros [| c ca] [| e cb]; cbn [form grid map along dot]; try reflexivity.
- rewrite along_zero. ring.
- rewrite (along_sum E (fun x => << d, x >>)), IH, along_dot.
  rewrite (map_ext (fun x => << x, d >>) (fun x => << d, x >>)); [ring |]. intro x. apply ip_sym.
Qed.
Lemma product_of (E : space) (ds : list E) a b ca cb : reads ds a ca -> reads ds b cb -> << a, b >> = form ca cb (gram ds).
Proof.
intros A B. rewrite A, <- along_form, along_dot. f_equal. apply map_ext. intro x. rewrite ip_sym. apply B.
Qed.

(* From weighted facts to the claim: if N X + S = 0 with N > 0 and S >= 0, then X <= 0. *)
Lemma conclude (N X S : R) : 0 < N -> 0 <= S -> N * X + S = 0 -> X <= 0.
Proof.
intros n s e. apply Rnot_lt_le. intro x. assert (0 < N * X) by (apply Rmult_lt_0_compat; lra). lra.
Qed.
Lemma weigh (c e : R) : 0 <= c -> 0 <= e -> 0 <= c * e.
Proof. apply Rmult_le_pos. Qed.
Lemma from_below (a b : R) : a <= b -> 0 <= b - a.
Proof. intro. apply Rge_le, Rge_minus, Rle_ge. assumption. Qed.
Lemma monus (a b : R) : a - b <= 0 -> a <= b.
Proof. lra. Qed.

(** part: squares *)

(* Quadratic forms with integer coefficients, by the rows of their upper triangle: (p r) :: M. *)
Fixpoint weave (M : list (list Z)) (G : list (list R)) : R :=
  match M, G with
  | (p :: r) :: M', (g :: gs) :: G' => IZR p * g + 2 * along (map IZR r) gs + weave M' G'
  | _, _ => 0
  end.

(* They are sums of squares if elimination finds no negative pivot. A step with pivot p replaces M by (p M - r r') / c;
   c is the pivot before it, by which all entries can be divided (Bareiss), and None would say that they cannot. *)
Fixpoint row_minor (p c a : Z) (r s : list Z) : option (list Z) :=
  match r, s with
  | nil, nil => Some nil
  | b :: r', m :: s' =>
    let n := (p * m - a * b)%Z in let q := (n / c)%Z in
    if (c * q =? n)%Z then option_map (cons q) (row_minor p c a r' s') else None
  | _, _ => None
  end.
Fixpoint minor (p c : Z) (r : list Z) (M : list (list Z)) : option (list (list Z)) :=
  match r, M with
  | nil, nil => Some nil
  | a :: r', s :: M' =>
    match row_minor p c a r s with Some t => option_map (cons t) (minor p c r' M') | None => None end
  | _, _ => None
  end.
Fixpoint squares (n : nat) (c : Z) (M : list (list Z)) : bool :=
  match n, M with
  | _, nil => true
  | S n', (p :: r) :: M' =>
    if (0 <? p)%Z then match minor p c r M' with Some N => squares n' p N | None => false end
    else (p =? 0)%Z && forallb (Z.eqb 0) r && squares n' c M'
  | _, _ => false
  end.
Definition sum_of_squares (M : list (list Z)) : bool := squares (length M) 1 M.

Lemma along_minor p c a r : forall s t gs, row_minor p c a r s = Some t ->
  IZR c * along (map IZR t) gs = IZR p * along (map IZR s) gs - IZR a * along (map IZR r) gs.
Proof.
induction r as [| b r IH]; intros [| m s] t gs H; cbn [row_minor] in H; try discriminate.
- injection H as <-. cbn. ring.
- destruct (Z.eqb_spec (c * ((p * m - a * b) / c)) (p * m - a * b)) as [D |]; [| discriminate].
  destruct (row_minor p c a r s) as [t' |] eqn:K; [| discriminate]. injection H as <-.
  apply (f_equal IZR) in D. rewrite minus_IZR, !mult_IZR in D. destruct gs as [| g gs]; cbn [map along]; [ring |].
  rewrite Rmult_plus_distr_l, (IH s t' gs K), <- Rmult_assoc, D. ring.
Qed.
Lemma weave_minor (E : space) p c r : forall M N (ds : list E), minor p c r M = Some N ->
  IZR c * weave N (gram ds) = IZR p * weave M (gram ds) - form (map IZR r) (map IZR r) (gram ds).
Proof.
induction r as [| a r IH]; intros [| s M] N ds H; cbn [minor] in H; try discriminate.
- injection H as <-. cbn. ring.
- destruct (row_minor p c a (a :: r) s) as [t |] eqn:T; [| discriminate].
  destruct (minor p c r M) as [N' |] eqn:K; [| discriminate]. injection H as <-.
  destruct s as [| m s]; [discriminate |]. destruct t as [| q t].
  { exfalso. cbn [row_minor] in T. destruct (_ =? _)%Z, (row_minor p c a r s); discriminate. }
  destruct ds as [| d ds]; [cbn; ring |].
  assert (A := along_minor p c a (a :: r) (m :: s) (q :: t) (<< d, d >> :: map (fun x => << d, x >>) ds) T).
  assert (B := along_minor p c a (a :: r) (m :: s) (q :: t) (0 :: map (fun x => << d, x >>) ds) T).
  cbn [map along] in A, B. cbn [map form grid weave]. assert (C := IH M N' ds K). lra.
Qed.
Lemma combination (E : space) ds : forall cs (v : E), exists u, forall w, << u, w >> = << v, w >> + dot cs ds w.
Proof.
induction ds as [| d ds IH]; intros [| c cs] v; cbn [dot]; try (exists v; intro; ring).
destruct (IH cs (v [+] c [*] d)) as [u H]. exists u. intro w. rewrite H, ip_add, ip_scale. ring.
Qed.
Lemma along_zeros r gs : forallb (Z.eqb 0) r = true -> along (map IZR r) gs = 0.
Proof.
revert gs. induction r as [| a r IH]; intros [| g gs] H; cbn [map along]; try reflexivity.
cbn [forallb] in H. apply andb_prop in H as [H K]. apply Z.eqb_eq in H. rewrite (IH gs K), <- H. ring.
Qed.
Lemma squares_nonneg (E : space) n : forall c M (ds : list E), (0 < c)%Z -> squares n c M = true ->
  0 <= weave M (gram ds).
Proof.
induction n as [| n IH]; intros c [| [| p r] M] [| d ds] pos H; try (apply Rle_refl); try discriminate.
cbn [squares] in H. cbn [weave grid map]. destruct (Z.ltb_spec 0 p) as [q | q].
- destruct (minor p c r M) as [N |] eqn:D; [| discriminate]. apply IZR_lt in q as q'. apply IZR_lt in pos.
  destruct (combination E ds (map IZR r) (IZR p [*] d)) as [u U].
  assert (F : << u, u >> = form (map IZR (p :: r)) (map IZR (p :: r)) (gram (d :: ds))).
  { apply product_of; intro w; rewrite U, ip_scale; reflexivity. }
  cbn [map form grid] in F. assert (S := ip_pos _ u). assert (K := IH p N ds q H).
  apply (Rmult_le_pos (IZR c)) in K; [| lra]. rewrite (weave_minor E p c r M N ds D) in K.
  apply Rmult_le_reg_l with (IZR p); [exact q' |]. lra.
- apply andb_prop in H as [H K]. apply andb_prop in H as [Z0 H]. apply Z.eqb_eq in Z0. subst p.
  rewrite (along_zeros r _ H). assert (N := IH c M ds pos K). lra.
Qed.
Lemma use_squares (E : space) (ds : list E) M : sum_of_squares M = true -> 0 <= weave M (gram ds).
Proof. apply squares_nonneg. reflexivity. Qed.

(** part: scaled *)

(* The same for multiples of vectors; the factors may be powers of a parameter. *)
Lemma use_squares_scaled (E : space) (ps : list (R * E)) M : sum_of_squares M = true ->
  0 <= weave M (grid (fun a b => fst a * fst b * << snd a, snd b >>) ps).
Proof.
intro S. assert (K := use_squares E (map (fun p => fst p [*] snd p) ps) M S).
replace (grid (fun a b => fst a * fst b * << snd a, snd b >>) ps) with (gram (map (fun p => fst p [*] snd p) ps));
  [exact K |].
clear. assert (e : forall a b : R * E, << fst a [*] snd a, fst b [*] snd b >> = fst a * fst b * << snd a, snd b >>).
{ intros. rewrite ip_scale, ip_scale_r. ring. }
induction ps as [| p ps IH]; [reflexivity |]. cbn [map grid]. rewrite IH, map_map, e. f_equal. f_equal.
apply map_ext. intro. apply e.
Qed.

(* A sum of products of what is not negative. *)
Ltac nonneg := repeat first [assumption | (apply IZR_le; discriminate) | apply Rplus_le_le_0_compat | apply Rmult_le_pos
  | apply pow_le | lra].
Ltac positive := apply Rplus_lt_le_0_compat; [lra | nonneg].

(** part: product *)

(* The product of two spaces: a state with two components, orthogonal to each other. *)
Definition product (A B : space) : space.
Proof.
refine (Space (vec A * vec B) (fun a b => (vadd (fst a) (fst b), vadd (snd a) (snd b)))
  (fun r a => (vscale r (fst a), vscale r (snd a))) (fun a b => << fst a, fst b >> + << snd a, snd b >>) _ _ _ _).
- intros; rewrite (ip_sym A), (ip_sym B); reflexivity.
- intros; cbn [fst snd]; rewrite !ip_add; ring.
- intros; cbn [fst snd]; rewrite !ip_scale; ring.
- intros; apply Rplus_le_le_0_compat; apply ip_pos.
Defined.
Lemma ip_pair (A B : space) (a c : A) (b d : B) : @ip (product A B) (a, b) (c, d) = << a, c >> + << b, d >>.
Proof. reflexivity. Qed.
Lemma sub_pair (A B : space) (a c : A) (b d : B) :
  @vadd (product A B) (a, b) (@vscale (product A B) (-1) (c, d)) = (a [-] c, b [-] d).
Proof. reflexivity. Qed.

(** part: height *)

(* The height of f over its tangent at the equilibrium; for the gradient us = 0 that is f - f*. *)
Definition height {E : space} (f : E -> R) (ys us y : E) : R := f y - f ys - << us, y [-] ys >>.
Lemma height_rest (E : space) (f : E -> R) ys us : height f ys us ys = 0.
Proof. unfold height. spread. ring. Qed.

(** part: subgradient *)

(* Convex functions, l-strongly so for l > 0, nonsmooth and extended-valued ones included; an output is a subgradient. Asked
   between points with a subgradient only. *)
Definition subgradient {E : space} (l : R) (f : E -> R) (out : E -> E -> Prop) :=
  forall y u z v, out y u -> out z v -> f z + << v, y [-] z >> + l / 2 * || y [-] z ||^2 <= f y.
Lemma use_subgradient (E : space) l f out (H : @subgradient E l f out) :
  forall ys us y u z v, out y u -> out z v ->
  0 <= 2 * (height f ys us y - height f ys us z - << v [-] us, y [-] z >>) - l * << y [-] z, y [-] z >>.
Proof.
intros ys us y u z v Hy Hz. assert (c := from_below _ _ (H y u z v Hy Hz)).
apply (Rmult_le_pos 2) in c; [| lra].
match type of c with 0 <= ?a => match goal with |- 0 <= ?b => replace b with a; [exact c |] end end.
unfold height. spread. field.
Qed.

(** part: curvature *)

(* Curvature between l and U, for a function that is finite everywhere and outputs u that are its gradients: a quadratic
   bound from below and one from above at every point. For 0 < l these are the l-strongly convex functions with a
   U-Lipschitz gradient. *)
Definition curvature {E : space} (l U : R) (f : E -> R) (out : E -> E -> Prop) := forall y u z, out y u ->
  f y + << u, z [-] y >> + l / 2 * || z [-] y ||^2 <= f z <= f y + << u, z [-] y >> + U / 2 * || z [-] y ||^2.

Lemma use_curvature (E : space) l U f out (H : @curvature E l U f out) : l < U ->
  forall ys us y u z v, out y u -> out z v ->
  0 <= 2 * (U - l) * (height f ys us y - height f ys us z - << v [-] us, y [-] z >>)
    - l * U * << y [-] z, y [-] z >> + 2 * l * << u [-] v, y [-] z >> - << u [-] v, u [-] v >>.
Proof.
intros lU ys us y u z v Hy Hz.
set (s := u [-] v [-] l [*] (y [-] z)).
assert (S : || s ||^2 = << u, s >> - << v, s >> - l * (<< y, s >> - << z, s >>)) by (unfold s at 1; spread; ring).
assert (S1 : << u, s >> = << u, u >> - << u, v >> - l * (<< u, y >> - << u, z >>)) by (unfold s; spread; ring).
assert (S2 : << v, s >> = << u, v >> - << v, v >> - l * (<< v, y >> - << v, z >>)) 
  by (unfold s; spread; rewrite (ip_sym _ v u); ring).
assert (S3 : << y, s >> = << u, y >> - << v, y >> - l * (<< y, y >> - << y, z >>)) 
  by (unfold s; spread; rewrite (ip_sym _ y u), (ip_sym _ y v); ring).
assert (S4 : << z, s >> = << u, z >> - << v, z >> - l * (<< y, z >> - << z, z >>)) 
  by (unfold s; spread; rewrite (ip_sym _ z u), (ip_sym _ z v), (ip_sym _ z y); ring).
clearbody s. set (w := y [-] (/ (U - l)) [*] s).
destruct (H y u w Hy) as [_ a]. destruct (H z v w Hz) as [b _].
assert (c := from_below _ _ (Rle_trans _ _ _ b a)). unfold w in c. clear a b w H.
apply (Rmult_le_pos (2 * (U - l))) in c; [| lra].
match type of c with 0 <= ?a => match goal with |- 0 <= ?b => replace b with a; [exact c |] end end.
unfold height. spread.
rewrite ?(ip_sym _ s y), ?(ip_sym _ s z), ?(ip_sym _ z y), ?(ip_sym _ v u), S, S1, S2, S3, S4. field. lra.
Qed.

(** part: curvature_below *)

Lemma curvature_below (E : space) l U f out (H : @curvature E l U f out) : subgradient l f out.
Proof. intros y u z v _ Hz. apply (H z v y Hz). Qed.

(** part: linear *)

Lemma use_linear (E : space) l f out (H : @curvature E l l f out) : forall y u z v, out y u -> out z v ->
  0 <= - << u [-] v, u [-] v >> + 2 * l * << u [-] v, y [-] z >> - l * l * << y [-] z, y [-] z >>.
Proof.
intros y u z v Hy Hz. set (s := u [-] v [-] l [*] (y [-] z)).
assert (S : << u, s >> - << v, s >> - l * (<< y, s >> - << z, s >>) = || s ||^2) by (unfold s at 5; spread; ring).
assert (S' : << s, s >> = << u [-] v, u [-] v >> - 2 * l * << u [-] v, y [-] z >> + l * l * << y [-] z, y [-] z >>)
  by (unfold s; spread; rewrite ?(ip_sym _ v u), ?(ip_sym _ z y), ?(ip_sym _ y u), ?(ip_sym _ y v), ?(ip_sym _ z u),
    ?(ip_sym _ z v); ring).
clearbody s. enough (<< s, s >> <= 0) by lra. clear S'. destruct (H y u (y [+] s) Hy) as [a1 a2]. destruct (H z v (y [+] s) Hz) as [b1 b2].
destruct (H y u y Hy) as [c1 c2]. destruct (H z v y Hz) as [d1 d2].
revert a1 a2 b1 b2 c1 c2 d1 d2. spread. rewrite ?(ip_sym _ s y), ?(ip_sym _ s z), ?(ip_sym _ z y), ?(ip_sym _ v u).
intros. lra.
Qed.

(** part: between *)

(* A symmetric linear map with its spectrum in [low, high]. (Linear: that follows from the symmetry.) *)
Definition between {E : space} (T : E -> E) (low high : R) :=
  (forall a b, << T a, b >> = << a, T b >>) /\
  (forall a, low * << a, a >> <= << T a, a >> /\ << T a, a >> <= high * << a, a >>).
Lemma between_product (E : space) T low high (H : @between E T low high) : low <= high -> forall a,
  0 <= (low + high) * << T a, a >> - low * high * << a, a >> - << T a, T a >>.
Proof.
intros [lh | <-] a; destruct H as [sym H].
2: { (* low = high: T is low times the identity, as far as inner products see *)
  set (b := T a [-] low [*] a). destruct (H (a [+] b)) as [c d]. destruct (H a) as [c1 d1]. destruct (H b) as [c2 d2].
  assert (e : << T (a [+] b), a [+] b >> = << T a, a >> + 2 * << T a, b >> + << T b, b >>).
  { rewrite (sym (a [+] b)). spread. rewrite <- !sym. clearbody b. spread. rewrite (sym b a), (ip_sym _ b (T a)). ring. }
  rewrite e in c, d. assert (f : << a [+] b, a [+] b >> = << a, a >> + 2 * << a, b >> + << b, b >>).
  { clearbody b. spread. rewrite (ip_sym _ b a). ring. }
  rewrite f in c, d. assert (g : << T a, b >> = low * << a, b >>) by lra. clear c d c1 d1 c2 d2 e f. revert g.
  unfold b. spread. rewrite (ip_sym _ a (T a)). lra. }
set (b := T a [-] low [*] a). set (m := high - low). assert (0 < m) by (unfold m; lra).
assert (A : forall w, << T b, w >> = << b, T w >>) by (intro; apply sym).
destruct (H (a [-] / m [*] b)) as [c _]. destruct (H b) as [_ d].
assert (e : << T (a [-] / m [*] b), a [-] / m [*] b >> = << T a, a >> - 2 * / m * << T a, b >> + / m * / m * << T b, b >>).
{ rewrite (sym (a [-] _)). spread. rewrite <- (sym a), <- (sym b). clearbody b. spread.
  rewrite (sym b a), (ip_sym _ b (T a)). ring. }
rewrite e in c. clear e.
assert (B1 : << T a, b >> = << T a, T a >> - low * << T a, a >>) by (unfold b; spread; ring).
assert (B2 : << a, b >> = << T a, a >> - low * << a, a >>) by (unfold b; spread; rewrite (ip_sym _ a (T a)); ring).
assert (B3 : << b, b >> = << T a, b >> - low * << a, b >>) by (unfold b at 1; spread; ring).
assert (c1 := from_below _ _ c). assert (d1 := from_below _ _ d).
revert c1. spread. rewrite (ip_sym _ b a). intro c1.
apply (Rmult_le_pos m) in c1; [| lra]. apply (Rmult_le_pos (/ m)) in d1; [| left; apply Rinv_0_lt_compat; lra].
assert (g := Rplus_le_le_0_compat _ _ c1 d1). 
match type of g with 0 <= ?a => match goal with |- 0 <= ?b => replace b with a; [exact g |] end end.
rewrite B3, B1, B2. unfold m. field. lra.
Qed.

(** part: squares_between *)

(* The same for a map T between low and high: then T - low, high - T, and their product, are inner products. *)
Lemma weave_sum (A : Type) x y z (f g h : A -> A -> R) M : forall ds,
  weave M (grid (fun a b => x * f a b + y * g a b + z * h a b) ds) =
  x * weave M (grid f ds) + y * weave M (grid g ds) + z * weave M (grid h ds).
Proof.
induction M as [| [| p r] M IH]; intros [| d ds]; cbn [weave grid map]; try ring. rewrite IH.
enough (K : along (map IZR r) (map (fun b => x * f d b + y * g d b + z * h d b) ds) =
  x * along (map IZR r) (map (f d) ds) + y * along (map IZR r) (map (g d) ds) + z * along (map IZR r) (map (h d) ds))
  by (rewrite K; ring).
clear. revert r. induction ds as [| e ds IH]; intros [| a r]; cbn [map along]; try ring. rewrite IH. ring.
Qed.

(* Parts of the table of products of n vectors and their images: among the n, with images, among images. *)
Fixpoint near (n : nat) (G : list (list R)) : list (list R) :=
  match n, G with S n', row :: G' => firstn n row :: near n' G' | _, _ => nil end.
Definition far (n : nat) (G : list (list R)) : list (list R) := map (skipn n) (firstn n G).
Definition image (n : nat) (G : list (list R)) : list (list R) := skipn n G.
Lemma cut_gram (E : space) (T : E -> E) ds : let G := gram (ds ++ map T ds) in
  near (length ds) G = gram ds /\ far (length ds) G = grid (fun a b => << a, T b >>) ds /\
  image (length ds) G = grid (fun a b => << T a, T b >>) ds.
Proof.
assert (F : forall (A B : Type) (f : A -> B) a b, firstn (length a) (map f (a ++ b)) = map f a).
{ induction a; intros; cbn; congruence. }
assert (drop : forall (A B : Type) (f : A -> B) a b, skipn (length a) (map f (a ++ b)) = map f b).
{ induction a; intros; cbn; congruence. }
assert (images : forall l, gram (map T l) = grid (fun a b => << T a, T b >>) l).
{ induction l as [| d l IH]; [reflexivity |]. cbn [map grid]. rewrite IH, map_map. reflexivity. }
repeat split.
- generalize (map T ds) as es. induction ds as [| d ds IH]; intro es; [reflexivity |].
  cbn [app grid length near]. rewrite (IH es), (F _ _ _ (d :: ds) es). reflexivity.
- enough (K : forall front, map (skipn (length (front ++ ds))) (firstn (length ds) (gram (ds ++ map T (front ++ ds)))) =
    grid (fun a b => << a, T b >>) ds) by exact (K nil).
  assert (L : forall l front, length (front ++ l) = length (l ++ map T front)).
  { assert (P : forall x (l m : list E), length (l ++ x :: m) = S (length (l ++ m))).
    { induction l; intros; cbn; congruence. }
    intros l front. induction front as [| x front IH]; cbn [app map length]; [rewrite app_nil_r; reflexivity |].
    rewrite P, IH. reflexivity. }
  induction ds as [| d ds IH]; intro front; [reflexivity |]. assert (K := IH (front ++ d :: nil)).
  rewrite <- app_assoc in K. cbn [app] in K. cbn [app grid length firstn]. rewrite (map_cons (skipn _)), K. f_equal.
  rewrite L, map_app, app_comm_cons, app_assoc, drop, map_map. reflexivity.
- rewrite <- (images ds). generalize (map T ds) as es. clear. induction ds as [| d ds IH]; intro es; [reflexivity |]. apply IH.
Qed.
Lemma use_squares_between (E : space) T low high (H : @between E T low high) : low <= high ->
  forall ds M, sum_of_squares M = true -> let n := length ds in let G := gram (ds ++ map T ds) in
  0 <= weave M (far n G) - low * weave M (near n G) /\ 0 <= high * weave M (near n G) - weave M (far n G) /\
  0 <= (low + high) * weave M (far n G) - low * high * weave M (near n G) - weave M (image n G).
Proof.
intros lh ds M S n G. destruct (cut_gram E T ds) as (N & F & I). fold n in N, F, I. fold G in N, F, I.
rewrite N, F, I. clear N F I. pose (p a b := << a, T b >>). pose (q a b := << T a, T b >>).
assert (new : forall x y z, (forall a, 0 <= x * << a, a >> + y * << a, T a >> + z * << T a, T a >>) ->
  0 <= x * weave M (gram ds) + y * weave M (grid p ds) + z * weave M (grid q ds)).
{ intros x y z pos. rewrite <- weave_sum.
  assert (add : forall a b c, << T (a [+] b), T c >> = << T a, T c >> + << T b, T c >>).
  { intros. rewrite !(proj1 H). apply ip_add. }
  assert (mul : forall r a c, << T (r [*] a), T c >> = r * << T a, T c >>).
  { intros. rewrite !(proj1 H). apply ip_scale. }
  refine (use_squares (Space E vadd vscale (fun a b => x * << a, b >> + y * p a b + z * q a b) _ _ _ pos) ds M S);
  unfold p, q; intros.
  - rewrite (ip_sym _ a b), (ip_sym _ (T a)), (ip_sym _ a), (proj1 H). reflexivity.
  - rewrite !ip_add, add. ring.
  - rewrite !ip_scale, mul. ring. }
assert (B := proj2 H). repeat split.
- replace (_ - _) with ((- low) * weave M (gram ds) + 1 * weave M (grid p ds) + 0 * weave M (grid q ds)) by (fold p; ring).
  apply new. intro a. rewrite (ip_sym _ a (T a)). destruct (B a). lra.
- replace (_ - _) with (high * weave M (gram ds) + (-1) * weave M (grid p ds) + 0 * weave M (grid q ds)) by (fold p; ring).
  apply new. intro a. rewrite (ip_sym _ a (T a)). destruct (B a). lra.
- fold p; fold q. replace (_ - _) with ((- (low * high)) * weave M (gram ds) + (low + high) * weave M (grid p ds) 
    + (-1) * weave M (grid q ds)) by ring.
  apply new. intro a. rewrite (ip_sym _ a (T a)). assert (c := between_product E T low high H lh a). lra.
Qed.

(** part: quadratic *)

(* Quadratic functions whose Hessian Q has its spectrum in [mu, L]. *)
Definition quadratic {E : space} (mu L : R) (f : E -> R) (out : E -> E -> Prop) := exists (Q : E -> E) (b : E) (c : R),
  between Q mu L /\ (forall y, f y = 1 / 2 * << Q y, y >> + << b, y >> + c) /\
  (forall y u, out y u -> forall w, << u, w >> = << Q y, w >> + << b, w >>).
Lemma use_quadratic_sector (E : space) mu L f out (H : @quadratic E mu L f out) : mu <= L ->
  forall y u z v, out y u -> out z v ->
  0 <= (mu + L) * << u [-] v, y [-] z >> - mu * L * << y [-] z, y [-] z >> - << u [-] v, u [-] v >>.
Proof.
intros lt y u z v Hy Hz. destruct H as (Q & b & c & [sym B] & F & O).
assert (D : forall w, << u [-] v, w >> = << Q (y [-] z), w >>).
{ intro w. rewrite sym. spread. rewrite (O y u Hy), (O z v Hz), <- !sym. ring. }
assert (P := between_product E Q mu L (conj sym B) lt (y [-] z)).
rewrite (D (u [-] v)), (ip_sym _ _ (u [-] v)), !D. exact P.
Qed.
Lemma use_quadratic_value (E : space) mu L f out (H : @quadratic E mu L f out) :
  forall s ys us y u, out ys us -> out y u ->
  0 <= s * (2 * height f ys us y - << u [-] us, y [-] ys >>).
Proof.
intros s ys us y u Hs Hy. destruct H as (Q & b & c & [sym B] & F & O).
apply Req_le. unfold height. rewrite !F. spread. rewrite ?(O y u Hy), ?(O ys us Hs).
rewrite (ip_sym _ (Q ys) y), <- (sym y ys). field.
Qed.
Lemma use_quadratic_symmetry (E : space) mu L f out (H : @quadratic E mu L f out) :
  forall s ys us y u z v, out ys us -> out y u -> out z v ->
  0 <= s * (<< u [-] us, z [-] ys >> - << v [-] us, y [-] ys >>).
Proof.
intros s ys us y u z v Hs Hy Hz. destruct H as (Q & b & c & [sym B] & F & O). apply Req_le.
spread. rewrite ?(O y u Hy), ?(O ys us Hs), ?(O z v Hz).
rewrite (ip_sym _ (Q z) y), <- (sym y z), (ip_sym _ (Q z) ys), <- (sym ys z), (ip_sym _ (Q y) ys), <- (sym ys y). ring.
Qed.

(** part: quadratic_below *)

Lemma quadratic_below (E : space) mu L f out (H : @quadratic E mu L f out) : subgradient mu f out.
Proof.
intros y u z v Hy Hz. destruct H as (Q & b & c & [sym B] & F & O).
destruct (B (y [-] z)) as [low _]. apply (Rmult_le_compat_l (1 / 2)) in low; [| lra].
assert (D : forall w, << Q (y [-] z), w >> = << Q y, w >> - << Q z, w >>).
{ intro w. rewrite sym. spread. rewrite <- !sym. ring. }
rewrite D in low. rewrite !F. revert low. spread. rewrite ?(O z v Hz), (ip_sym _ (Q z) y), <- (sym y z). lra.
Qed.

(** part: convex *)

(* A subgradient lies below the function: at an equilibrium, and from it. *)
Lemma subgradient_convex (E : space) l f out (H : @subgradient E l f out) : 0 <= l ->
  forall y u z v, out y u -> out z v -> 0 <= f y - f z - << v, y [-] z >>.
Proof.
intros pos y u z v Hy Hz. assert (a := H y u z v Hy Hz).
assert (b := Rmult_le_pos (l / 2) _ ltac:(lra) (ip_pos E (y [-] z))). lra.
Qed.

(** part: gradient_dominated *)

(* L-smooth functions, convex or not, with a minimiser, |grad f|^2 >= 2 mu (f - min f), and the quadratic growth that
   follows from it around the only minimiser (Karimi, Nutini, Schmidt 2016, Theorem 2; here it is assumed). *)
Definition gradient_dominated {E : space} (mu L : R) (f : E -> R) (out : E -> E -> Prop) :=
  (exists m, forall z, f m <= f z) /\
  (forall y u z, out y u -> f z <= f y + << u, z [-] y >> + L / 2 * || z [-] y ||^2) /\
  (forall y u z v, out y u -> out z v -> || u [-] v ||^2 <= L * L * || y [-] z ||^2) /\
  (forall m y u, (forall z, f m <= f z) -> out y u -> 2 * mu * (f y - f m) <= || u ||^2) /\
  (forall m y, (forall z, f m <= f z) -> mu / 2 * || y [-] m ||^2 <= f y - f m).
Lemma use_gradient_dominated (E : space) mu L f out (H : @gradient_dominated E mu L f out) : 0 < mu -> 0 < L ->
  forall ys us y u, out ys us -> (forall w, << us, w >> = 0) -> out y u ->
  0 <= << u [-] us, u [-] us >> - 2 * mu * height f ys us y /\
  0 <= 2 * height f ys us y - mu * << y [-] ys, y [-] ys >> /\
  0 <= 2 * L * height f ys us y - << u [-] us, u [-] us >> /\
  0 <= L * << y [-] ys, y [-] ys >> - 2 * height f ys us y /\
  0 <= L * L * << y [-] ys, y [-] ys >> - << u [-] us, u [-] us >>.
Proof.
intros pm pL ys us y u Hs rest Hy. destruct H as (M & S & Lip & PL & G).
assert (min : forall z, f ys <= f z).
{ intro z. destruct M as [m M]. assert (a := PL m ys us M Hs). rewrite rest in a.
  assert (0 <= 2 * mu * (f m - f ys)) by lra. apply Rle_trans with (f m); [| apply M].
  apply Rnot_lt_le. intro c. assert (0 < mu * (f ys - f m)) by (apply Rmult_lt_0_compat; lra). lra. }
assert (h : height f ys us y = f y - f ys) by (unfold height; rewrite rest; ring).
assert (U : << u [-] us, u [-] us >> = << u, u >>) by (spread; rewrite (ip_sym _ u us), !rest; ring).
rewrite h, U. assert (p := PL ys y u min Hy). assert (g := G ys y min).
assert (s := S ys us y Hs). rewrite rest in s. assert (l := Lip y u ys us Hy Hs). rewrite U in l.
assert (d := S y u (y [-] (/ L) [*] u) Hy). assert (e := min (y [-] (/ L) [*] u)).
assert (0 <= L * 2 * (f y - / L * / 2 * << u, u >> - f ys)).
{ apply Rmult_le_pos; [lra |]. revert d. spread. rewrite (ip_sym _ y u).
  assert (k : L * / L = 1) by (field; lra). intro d.
  match type of d with _ <= ?r => replace r with (f y - / L * / 2 * << u, u >>) in d; [lra |] end.
  field. lra. }
replace (L * 2 * (f y - / L * / 2 * << u, u >> - f ys)) with (2 * L * (f y - f ys) - << u, u >>) in * by (field; lra).
repeat split; lra.
Qed.

(** part: monotone *)

(* Monotone operators, mu-strongly so for mu > 0. *)
Definition monotone {E : space} (mu : R) (out : E -> E -> Prop) := forall y u z v, out y u -> out z v ->
  mu * || y [-] z ||^2 <= << u [-] v, y [-] z >>.
Lemma use_monotone (E : space) mu out (H : @monotone E mu out) : forall y u z v, out y u -> out z v ->
  0 <= << u [-] v, y [-] z >> - mu * << y [-] z, y [-] z >>.
Proof. intros. apply from_below, H; assumption. Qed.

(** part: cocoercive *)

(* beta-cocoercive operators. *)
Definition cocoercive {E : space} (beta : R) (out : E -> E -> Prop) := forall y u z v, out y u -> out z v ->
  beta * || u [-] v ||^2 <= << u [-] v, y [-] z >>.
Lemma use_cocoercive (E : space) beta out (H : @cocoercive E beta out) : forall y u z v, out y u -> out z v ->
  0 <= << u [-] v, y [-] z >> - beta * << u [-] v, u [-] v >>.
Proof. intros. apply from_below, H; assumption. Qed.

(** part: lipschitz *)

(* L-Lipschitz operators. *)
Definition lipschitz {E : space} (L : R) (out : E -> E -> Prop) := forall y u z v, out y u -> out z v ->
  || u [-] v ||^2 <= L * L * || y [-] z ||^2.
Lemma use_lipschitz (E : space) L out (H : @lipschitz E L out) : forall y u z v, out y u -> out z v ->
  0 <= L * L * << y [-] z, y [-] z >> - << u [-] v, u [-] v >>.
Proof. intros. apply from_below, H; assumption. Qed.

(** part: sector *)

(* Nonlinearities in a sector, measured from the origin. *)
Definition sector {E : space} (l U : R) (out : E -> E -> Prop) := forall y u, out y u ->
  0 <= << u [-] l [*] y, U [*] y [-] u >>.
Lemma use_sector (E : space) l U out (H : @sector E l U out) : forall ys us y u,
  (forall w, << ys, w >> = 0) -> (forall w, << us, w >> = 0) -> out y u ->
  0 <= (l + U) * << u [-] us, y [-] ys >> - l * U * << y [-] ys, y [-] ys >> - << u [-] us, u [-] us >>.
Proof.
intros ys us y u ry ru Hy. assert (a := H y u Hy).
match type of a with 0 <= ?p => match goal with |- 0 <= ?q => replace q with p; [exact a |] end end.
spread. rewrite ?(ip_sym _ y ys), ?(ip_sym _ u ys), ?(ip_sym _ u us), ?(ip_sym _ y us), ?ry, ?ru, ?(ip_sym _ y u). ring.
Qed.

(** part: static_sector *)

(* Static nonlinearities in a sector, applied entry by entry, of which f is the integral: that it lies between the
   integrals of the two slopes is a property of such nonlinearities, and is assumed here. *)
Definition static_sector {E : space} (l U : R) (f : E -> R) (out : E -> E -> Prop) := sector l U out /\
  (forall y z, (forall w, << z, w >> = 0) -> l / 2 * || y ||^2 <= f y - f z /\ f y - f z <= U / 2 * || y ||^2).
Lemma use_static_sector (E : space) l U f out (H : @static_sector E l U f out) : forall ys us y u,
  (forall w, << ys, w >> = 0) -> (forall w, << us, w >> = 0) -> out y u ->
  0 <= (l + U) * << u [-] us, y [-] ys >> - l * U * << y [-] ys, y [-] ys >> - << u [-] us, u [-] us >> /\
  0 <= 2 * height f ys us y - l * << y [-] ys, y [-] ys >> /\
  0 <= U * << y [-] ys, y [-] ys >> - 2 * height f ys us y.
Proof.
intros ys us y u ry ru Hy. destruct H as [S B]. split. exact (use_sector E l U out S ys us y u ry ru Hy).
destruct (B y ys ry) as [low high]. assert (h : height f ys us y = f y - f ys) by (unfold height; rewrite ru; ring).
assert (Y : << y [-] ys, y [-] ys >> = << y, y >>) by (spread; rewrite (ip_sym _ y ys), !ry; ring).
rewrite h, Y. split; lra.
Qed.
