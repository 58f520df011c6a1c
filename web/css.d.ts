/** A style sheet as text: the build reads it in. */
declare module '*.css' {
  const text: string;
  export default text;
}
