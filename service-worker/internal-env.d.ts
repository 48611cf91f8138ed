/** A module of workerd that has no published types. */
declare module "cloudflare-internal:env" {
  const innerEnv: { getCurrentEnv(): object | undefined };
  export default innerEnv;
}
