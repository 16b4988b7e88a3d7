namespace Kv.Wire.Access;

/// <summary>From when until when a certificate is good.</summary>
public readonly record struct CertificateLife(DateTimeOffset NotBefore, DateTimeOffset NotAfter);
