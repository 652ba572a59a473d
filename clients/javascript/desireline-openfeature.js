// Desireline behind OpenFeature, in Node and in browsers: a provider that tracks, and a hook for
// exposures. Copy this file into your project and give it the OFREP provider that you use:
//
//   const Provider = tracking(OFREPProvider)   // or OFREPWebProvider
//   const provider = new Provider({ baseUrl, headers: [['X-API-Key', key]] }).sendWith(baseUrl, key)
//   OpenFeature.setProvider(provider)
//   OpenFeature.addHooks(exposures(provider))

export const tracking = (Provider) => class extends Provider {
  sendWith(baseUrl, key) {
    return Object.assign(this, { address: new URL('/v1/track', baseUrl), key, sending: new Set() })
  }

  track(event, context, { ...properties } = {}) {
    if (!context?.targetingKey) return
    const now = new Date().toISOString()
    const body = { event, properties, userId: context.targetingKey, writeKey: this.key }
    const stamped = { ...body, messageId: crypto.randomUUID(), timestamp: now, sentAt: now }
    const request = { method: 'POST', body: JSON.stringify(stamped), keepalive: true }
    const sent = fetch(this.address, request).catch(() => {})
    this.sending.add(sent)
    sent.then(() => this.sending.delete(sent))
  }

  async onClose() {
    await Promise.all(this.sending)
    await super.onClose?.()
  }
}

export const exposures = (provider, remembered = 100_000) => {
  const reported = new Set()
  return {
    after({ context }, { variant, flagMetadata: { inExperiment, experiment } = {} }) {
      const once = JSON.stringify([context.targetingKey, experiment, variant])
      if (!inExperiment || reported.has(once)) return
      if (reported.size >= remembered) reported.clear()
      reported.add(once)
      const seen = { experiment_id: experiment, variation_id: variant }
      provider.track('Experiment Viewed', context, seen)
    },
  }
}
