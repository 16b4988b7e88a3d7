namespace Kv.Wire.Access;

/// <summary>
/// Where a node's TLS comes from, as PEM: its certificate (with what is between it and its authority), the private key, and the authorities whose certificates clients, and other nodes,
/// may show; null where they may show none.
/// </summary>
public sealed record TlsFiles(string Certificate, string Key, string? ClientAuthorities = null, string? PeerAuthorities = null);
