using Kv.Wire.Access;

namespace Kv.Wire.Admin;

/// <summary>What a node says of itself beyond its membership. The two functions are asked anew each time, in bytes.</summary>
public sealed record NodeFacts(string Version, int FormatVersion, Func<long> DataBytes, Func<long> DiskFreeBytes)
{
    /// <summary>Of the certificate in use, asked anew each time; null where the node has none.</summary>
    public Func<CertificateLife>? Certificate { get; init; }
}
