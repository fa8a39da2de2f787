import { X509Certificate } from "node:crypto";
import { createSecureContext, createServer, type SecureContext, type Server, type TlsOptions } from "node:tls";

/** A certificate and its key, in PEM form. */
export type KeyPair = { readonly cert: string | Buffer; readonly key: string | Buffer };

export type TlsMaterial = KeyPair & {
  /** Of other names: who asks for one of them is shown it. */
  readonly others?: readonly KeyPair[] | undefined;
  /** Whose client certificates stand for the account they name, and which of them do no more. */
  readonly clientCa?: string | undefined;
  readonly crl?: string | undefined;
};

export type TlsListener = {
  readonly server: Server;
  /** For connections that come; those that are there stay. */
  renew(material: TlsMaterial): void;
};

/** A TLS server that shows each client the certificate of the name it asks for (SNI), the first one to the others. */
export function createTlsListener(material: TlsMaterial, options: TlsOptions): TlsListener {
  let named = namedContexts(material);
  const server = createServer({
    ...contextOf(material),
    ...options,
    SNICallback: (name, done) => done(null, named.find(({ certificate }) => certificate.checkHost(name))?.context),
  });
  return {
    server,
    renew(renewed) {
      named = namedContexts(renewed);
      server.setSecureContext(contextOf(renewed));
    },
  };
}

function namedContexts(material: TlsMaterial): { certificate: X509Certificate; context: SecureContext }[] {
  const { others = [], cert, key } = material;
  if (others.length === 0) return [];
  return [{ cert, key }, ...others].map((pair) => ({
    certificate: new X509Certificate(pair.cert),
    context: createSecureContext(contextOf({ ...material, ...pair })),
  }));
}

const contextOf = ({ cert, key, clientCa, crl }: TlsMaterial) => ({
  cert,
  key,
  minVersion: "TLSv1.2" as const,
  ...(clientCa !== undefined && { ca: clientCa }),
  ...(crl !== undefined && { crl }),
});
