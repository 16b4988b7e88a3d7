using System.Net;
using Google.Protobuf;
using Kv.Wire.Access;

namespace Kv.Wire.Riak.Pb;

/// <summary>What one connection's requests share. <paramref name="peer"/> is where the client connects from, where that is known.</summary>
internal sealed class PbSession(PbOutput output, IPAddress? peer)
{
    public PbOutput Output { get; } = output;

    public IPAddress? Peer { get; } = peer;

    /// <summary>Whether the connection has TLS.</summary>
    public bool IsSecured { get; init; }

    /// <summary>Of the certificate that the client showed, if it did.</summary>
    public string? CommonName { get; init; }

    /// <summary>Who the client has shown to be.</summary>
    public AccessUser? User { get; set; }

    /// <summary>How often it was not taken for who it said.</summary>
    public int Failures { get; set; }

    /// <summary>Riak's default is four zeros.</summary>
    public ByteString ClientId { get; set; } = ByteString.CopyFrom(0, 0, 0, 0);
}
