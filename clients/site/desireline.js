// Shows on a page what Desireline answers, and tells it what happens there.
// Served at /site/desireline.js without its comments and indentation.
(() => {
  const script = document.currentScript
  const set = script.dataset
  const base = new URL(script.src).origin
  const flags = {}
  const counted = {}
  const sheet = new CSSStyleSheet()
  const preview = new URL(location).searchParams.get('desireline_preview')
  let id, timer, done, queue = []

  const random = () => crypto.getRandomValues(new Uint32Array(4)).join('-')
  // Where the browser stores nothing there is no visitor: the page stays as it is.
  try { id = localStorage.desireline ||= random() } catch {}

  const post = (path, body, more) =>
    fetch(base + path, { method: 'POST', body: JSON.stringify(body), ...more })

  const flush = (leaving) => {
    timer = clearTimeout(timer)
    const batch = queue.splice(0, 40)
    if (!batch[0]) return
    const body = { writeKey: set.key, batch, sentAt: new Date() }
    // Each event has an id, so that one which is sent twice is stored once.
    const retry = () => { queue = batch.concat(queue); timer ||= setTimeout(flush, 5e3) }
    if (leaving) navigator.sendBeacon(base + '/v1/batch', JSON.stringify(body)) || retry()
    else post('/v1/batch', body, { keepalive: true }).then((reply) => reply.status > 428 && retry(), retry)
  }
  const add = (type, more) => {
    // Who only previews a variant is counted nowhere.
    if (!id || preview) return
    queue.push({ type, messageId: random(), anonymousId: id, timestamp: new Date(), ...more })
    timer ||= setTimeout(flush, 1e3)
  }
  const track = (event, properties) => add('track', { event, properties })

  const put = (node, value, name) => {
    if (value === !!value) node.hidden = !value
    else if (value instanceof Object) for (const key in value) put(node, value[key], key)
    else if (!name || name == 'text') node.textContent = value
    else node.setAttribute(name, value)
  }
  const show = () => document.querySelectorAll('[data-desireline]:not([data-desireline-shown])').forEach((node) => {
    const flag = flags[node.dataset.desireline]
    node.dataset.desirelineShown = ''
    if (!flag || flag.errorCode) return
    put(node, flag.value, node.dataset.desirelineAttribute)
    const { experiment } = flag.metadata
    if (!experiment || counted[experiment]) return
    counted[experiment] = 1
    track('Experiment Viewed', { experiment_id: experiment, variation_id: flag.variant })
  })
  const settle = () => {
    done = 1
    show()
    return flags
  }

  const ready = id ? post('/ofrep/v1/evaluate/flags', {
    context: { ...JSON.parse(set.context || '{}'), targetingKey: id, desireline_preview: preview }
  }, { headers: { 'x-api-key': set.key } }).then((reply) => reply.json()).then((all) => {
    // What was seen before a late answer stays as it is: nothing changes under somebody's eyes.
    all.flags.forEach((flag) => { flags[flag.key] = flag })
    return settle()
  }).catch(settle) : Promise.resolve(settle())

  // Until there is an answer, what may change keeps its place and is not seen.
  sheet.replaceSync('[data-desireline]:not([data-desireline-shown]){visibility:hidden}')
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet]
  new MutationObserver(() => done && show()).observe(document, { childList: true, subtree: true })
  setTimeout(() => done || settle(), set.timeout || 500)

  document.addEventListener('visibilitychange', () => document.hidden && flush(1))
  addEventListener('pagehide', () => flush(1))
  const { title, referrer } = document
  set.page == 'off' || add('page', { properties: { url: location.href, title, referrer } })
  self.desireline = { id, ready, track, identify: (userId, traits) => add('identify', { userId, traits }) }
})()
