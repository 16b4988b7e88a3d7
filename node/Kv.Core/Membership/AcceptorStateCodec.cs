using System.Text.Json;

namespace Kv.Core.Membership;

/// <summary>An acceptor's state as bytes on disk: a format version byte, then JSON. The checksum is the store's.</summary>
public static class AcceptorStateCodec
{
    /// <summary>The newest; a state has the version of the document in it.</summary>
    public const byte FormatVersion = ClusterDocumentCodec.FormatVersion;

    public static byte[] Encode(AcceptorState state) => VersionedJson.Write(ClusterDocumentCodec.VersionOf(state.Accepted), json =>
    {
        json.WriteNumber("version", state.Version);
        WriteBallot(json, "promised", state.Promised);
        WriteBallot(json, "acceptedBallot", state.AcceptedBallot);
        if (state.ClusterId != Guid.Empty)
        {
            json.WriteString("clusterId", state.ClusterId);
        }

        if (state.Accepted is { } document)
        {
            json.WriteStartObject("accepted");
            ClusterDocumentCodec.Write(json, document);
            json.WriteEndObject();
        }
    });

    /// <exception cref="DocumentFormatException">Damaged or of an unknown version, whose number is in the message.</exception>
    public static AcceptorState Decode(ReadOnlyMemory<byte> bytes) => VersionedJson.Read(bytes, FormatVersion, "acceptor state", json => new AcceptorState(
        json.GetProperty("version").GetInt64(),
        ReadBallot(json, "promised"),
        ReadBallot(json, "acceptedBallot"),
        json.TryGetProperty("accepted", out var accepted) ? ClusterDocumentCodec.Read(accepted) : null)
    {
        ClusterId = json.TryGetProperty("clusterId", out var cluster) ? cluster.GetGuid() : Guid.Empty,
    });

    private static void WriteBallot(Utf8JsonWriter json, string name, Ballot ballot)
    {
        json.WriteStartObject(name);
        json.WriteNumber("round", ballot.Round);
        DocumentJson.WriteNode(json, "node", ballot.Node);
        json.WriteEndObject();
    }

    private static Ballot ReadBallot(JsonElement json, string name)
    {
        var ballot = json.GetProperty(name);
        return new Ballot(ballot.GetProperty("round").GetInt64(), DocumentJson.ReadNode(ballot, "node"));
    }
}
