/** The symbol under which a policy carries its parts; `pipeline()` reads nothing else. */
export const parts: unique symbol = Symbol.for('holdfast.parts') as never
