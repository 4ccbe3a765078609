-- wrk -s tokens.lua URL -- FILE: every request carries the next token of FILE, one a line, from the start again at its end.
local requests, next_index = {}, 0

function init(arguments)
    for token in io.lines(arguments[1]) do
        requests[#requests + 1] = wrk.format("GET", nil, { ["Authorization"] = "Bearer " .. token })
    end
end

function request()
    next_index = next_index % #requests + 1
    return requests[next_index]
end
