using System.Net;

namespace Kv.Wire.Access;

/// <summary>
/// What a client says of itself and what its connection shows. A class of its own, and no record, so that a password is printed by nothing. <paramref name="commonName"/> is that of a
/// client certificate that the node trusts.
/// </summary>
public sealed class Credentials(string user, string? password, IPAddress? peer, string? commonName)
{
    public string User { get; } = user;

    public string? Password { get; } = password;

    /// <summary>Null where it is not known: then no source fits.</summary>
    public IPAddress? Peer { get; } = peer;

    public string? CommonName { get; } = commonName;
}
