using System.Text.Json.Nodes;
using Google.Protobuf;

namespace Kv.Kubectl.Output;

/// <summary>
/// Names printed as they come, one to a line; nothing is kept, so that a listing of any length takes no memory. As JSON the lines make one array.
/// A name that is no text, or would not stay on its line, is given in base64 with a mark before it.
/// </summary>
internal sealed class Listing(Terminal terminal, bool isJson, bool isBase64, string what)
{
    private bool hasBegun;

    public async Task AddAsync(IEnumerable<ByteString> names, CancellationToken cancel)
    {
        foreach (var name in names)
        {
            var line = isJson ? (hasBegun ? ",\n  " : "[\n  ") + JsonOf(name).ToJsonString(JsonText.Compact) : LineOf(name) + "\n";
            hasBegun = true;
            await terminal.Text.WriteAsync(line.AsMemory(), cancel);
        }
    }

    /// <summary>Only after all have come: a listing that failed is no whole JSON.</summary>
    public async Task EndAsync()
    {
        if (isJson)
        {
            await terminal.Text.WriteAsync(hasBegun ? "\n]\n" : "[]\n");
        }
    }

    private JsonObject JsonOf(ByteString name)
    {
        var json = new JsonObject();
        if (isBase64)
        {
            json[what + "Base64"] = name.ToBase64();
        }
        else
        {
            JsonText.Add(json, what, name.Span);
        }

        return json;
    }

    private string LineOf(ByteString name) => isBase64 ? name.ToBase64() : Escape.NameOf(name);
}
