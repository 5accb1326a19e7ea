/** Names of tokens of devices and pages, which let nobody in. */
const HARMLESS = /(?:fcm|push|device|page|cursor|csrf|xsrf|recaptcha|captcha)/i;

/** Whether a name, of a query's parameter or of a member, is one of what lets somebody in. */
export function isCredential(name: string | undefined): boolean {
  if (name === undefined || HARMLESS.test(name)) return false;
  return (
    /(?:^|[-_a-z])(?:token|jwt|api[-_]?key|secret|passw(?:or)?d)$/i.test(name) ||
    /^(?:auth|authorization|bearer|sid|session|session[-_]?(?:id|key))$/i.test(name)
  );
}
