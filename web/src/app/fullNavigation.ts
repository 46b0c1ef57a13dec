/** Paths of this site that the server answers itself: the router knows nothing of them. */
const SERVED = /^\/(oauth|api|\.well-known|docs)(\/|\?|$)/

/** Goes to a path of this site: within the page where the page knows it, by loading it where the server does. */
export async function goTo(path: string, push: (path: string) => Promise<unknown>): Promise<void> {
  if (SERVED.test(path)) window.location.assign(path)
  else await push(path)
}
