//! Loops compiled for each kind of processor and chosen when the program runs.

/// A function whose loops are compiled for each kind of processor, which its first argument stands for. A
/// closure would not do: what is not inlined into the function with the processor's features is compiled
/// without them.
macro_rules! vectorised {
    (
        $(#[$meta:meta])*
        $visible:vis fn $name:ident<$life:lifetime>($($argument:ident: $type:ty),* $(,)?) $body:block
    ) => {
        $(#[$meta])*
        $visible fn $name<$life>(arch: pulp::Arch, $($argument: $type),*) {
            struct Call<$life> {
                $($argument: $type),*
            }
            impl<$life> pulp::NullaryFnOnce for Call<$life> {
                type Output = ();
                #[inline(always)]
                fn call(self) {
                    let Self { $($argument),* } = self;
                    $body
                }
            }
            arch.dispatch(Call { $($argument),* });
        }
    };
}

pub(crate) use vectorised;
